/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef WEFT_HAVE_READLINE
#include <readline/history.h>
#include <readline/readline.h>

static const char *const *known_words;

/* The next word that begins with TEXT; the library frees it. */
static char *
offer_word (const char *text, int state)
{
  static guint at;
  gsize length = strlen (text);

  if (state == 0)
    at = 0;
  for (; known_words != NULL && known_words[at] != NULL; at++)
    if (g_ascii_strncasecmp (known_words[at], text, length) == 0)
      return strdup (known_words[at++]);
  return NULL;
}

static char **
offer_words (const char *text, int start, int end)
{
  rl_attempted_completion_over = 1;
  return rl_completion_matches (text, offer_word);
}
#endif

void
prompt_begin (const char *const *words)
{
#ifdef WEFT_HAVE_READLINE
  known_words = words;
  rl_readline_name = "weft";
  /* Ctrl-C is for questions. Readline's handlers, were a signal to come as a line ends, would stay
   * after it, and keep what comes then to themselves.
   */
  rl_catch_signals = 0;
  rl_attempted_completion_function = offer_words;
  rl_basic_word_break_characters = " \t\n\"'`(),;=<>+-*/|";
#endif
}

static char *
read_plain (const char *prompt)
{
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  char *text = NULL;

  if (isatty (STDIN_FILENO))
    fputs (prompt, stdout);
  fflush (stdout);
  length = getline (&line, &room, stdin);
  if (length >= 0)
    text = g_strndup (line, strcspn (line, "\n"));
  free (line);
  return text;
}

char *
prompt_read (const char *prompt)
{
#ifdef WEFT_HAVE_READLINE
  if (isatty (STDIN_FILENO) && isatty (STDOUT_FILENO))
    {
      char *line = readline (prompt);
      char *text = g_strdup (line);

      free (line);
      return text;
    }
#endif
  return read_plain (prompt);
}

void
prompt_remember (const char *text)
{
#ifdef WEFT_HAVE_READLINE
  g_autofree char *line = g_strdelimit (g_strdup (text), "\n", ' ');

  add_history (g_strstrip (line));
#endif
}
