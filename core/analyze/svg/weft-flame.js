// SPDX-License-Identifier: LGPL-2.1-or-later
(function () {
  'use strict';
  const svg = document.documentElement;
  const width = svg.viewBox.baseVal.width - 2 * PAD;
  const detail = document.getElementById ('detail');
  const found = document.getElementById ('found');
  const boxes = Array.from (document.querySelectorAll ('.b'), (node, index) => {
    const rect = node.querySelector ('rect');
    const lines = node.querySelector ('title').textContent.split ('\n');
    return { node, rect, index, lines, name: lines[0], text: node.querySelector ('text'),
             x: Number (rect.getAttribute ('x')) - PAD, y: Number (rect.getAttribute ('y')),
             w: Number (node.getAttribute ('data-w')) };
  });
  let at = null;
  let from = 0;
  let scale = 1;

  function label (box, x, w) {
    const room = Math.floor ((w - 6) / CHARACTER);
    const letters = Array.from (box.name);
    let text = box.text;
    if (!text && room >= 3) {
      text = document.createElementNS ('http://www.w3.org/2000/svg', 'text');
      text.setAttribute ('y', box.y + 13);
      box.text = box.node.appendChild (text);
    }
    if (!text)
      return;
    text.setAttribute ('x', x + 3);
    text.textContent = room < 3 ? '' :
      letters.length <= room ? box.name : letters.slice (0, room - 1).join ('') + '…';
  }

  function show () {
    for (const box of boxes) {
      const left = Math.max ((box.x - from) * scale, 0);
      const right = Math.min ((box.x + box.w - from) * scale, width);
      const hidden = right - left < 0.05;
      box.node.style.display = hidden ? 'none' : '';
      if (hidden)
        continue;
      box.rect.setAttribute ('x', PAD + left);
      box.rect.setAttribute ('width', Math.max (right - left - 0.6, 0.1));
      box.node.classList.toggle ('far', box.w * scale > width * 1.0001);
      label (box, PAD + left, right - left);
    }
  }

  function zoom (box) {
    const whole = !box || box.w >= width * 0.9999;
    from = whole ? 0 : box.x;
    scale = whole ? 1 : width / box.w;
    show ();
  }

  function select (box) {
    if (at)
      at.node.classList.remove ('at');
    at = box;
    if (!box)
      return;
    box.node.classList.add ('at');
    detail.textContent = box.lines.join (' · ');
    svg.setAttribute ('aria-description', box.lines.join (', '));
  }

  function find (words) {
    const wanted = words.toLowerCase ();
    let n = 0;
    let sum = 0;
    let ends = [];
    for (const box of boxes) {
      const hit = wanted !== '' && box.index > 0 && box.name.toLowerCase ().includes (wanted);
      box.node.classList.toggle ('hit', hit);
      while (ends.length && (ends[ends.length - 1].y >= box.y))
        ends.pop ();
      if (!hit)
        continue;
      n++;
      if (!ends.length)
        sum += box.w;
      ends.push (box);
    }
    found.textContent = wanted === '' ? '' : n + ' found, ' + (100 * sum / width).toFixed (1) + ' %';
  }

  function beside (step) {
    const row = boxes.filter (box => box.y === at.y && box.node.style.display !== 'none');
    return row[row.indexOf (at) + step];
  }

  function above () {
    return boxes.slice (0, at.index).reverse ().find (box => box.y < at.y);
  }

  function below () {
    const next = boxes[at.index + 1];
    return next && next.y > at.y ? next : null;
  }

  const moves = { ArrowUp: above, ArrowDown: below, ArrowLeft: () => beside (-1), ArrowRight: () => beside (1) };

  document.addEventListener ('keydown', event => {
    if (event.target.localName === 'input' && event.key !== 'Escape')
      return;
    if (moves[event.key])
      select ((at && moves[event.key] ()) || at || boxes[0]);
    else if (event.key === 'Enter' && at)
      zoom (at);
    else if (event.key === 'Escape')
      zoom (null), input.value = '', find (''), input.blur ();
    else if (event.key === '/')
      input.focus ();
    else
      return;
    event.preventDefault ();
  });

  for (const box of boxes) {
    box.node.addEventListener ('click', () => { select (box); zoom (box); });
    box.node.addEventListener ('mouseenter', () => { detail.textContent = box.lines.join (' · '); });
  }

  const place = document.createElementNS ('http://www.w3.org/2000/svg', 'foreignObject');
  const input = document.createElementNS ('http://www.w3.org/1999/xhtml', 'input');
  for (const [key, value] of Object.entries ({ x: width + PAD - 200, y: 10, width: 200, height: 26 }))
    place.setAttribute (key, value);
  input.setAttribute ('type', 'search');
  input.setAttribute ('class', 'find');
  input.setAttribute ('placeholder', WORDS);
  input.setAttribute ('aria-label', WORDS);
  input.addEventListener ('input', () => find (input.value));
  place.appendChild (input);
  svg.appendChild (place);
  svg.setAttribute ('tabindex', '0');
  svg.style.width = 'min(100%, 1800px)';
  svg.style.height = 'auto';
}) ();
