/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-unwinder.h"

#include <string.h>

#include "weft-address-space-private.h"
#include "weft-module-private.h"
#include "weft-unwind-expression.h"

#define OVERLAP 512       /* bytes of the copy that what is read beyond it has to agree with */
#define MAX_OVERLAP 32768 /* where its last return address is further back */
#define FIRST_EXTENSION (16 * 1024)
#define MAX_SWITCHES 64 /* to another stack: signals, stacks that were realigned or split */

/* Memory that was read beyond the copy. */
typedef struct
{
  guint64 address;
  guint8 *bytes;
  gsize length;
  gboolean is_over; /* there is no more behind it */
} Extension;

typedef struct
{
  WeftAddressSpace *space;
  const WeftStackCopy *stack;
  const WeftUnwindMachine *machine; /* NULL until a frame says */
  guint64 values[WEFT_UNWIND_N_REGISTERS];
  guint64 known;
  guint64 pc;
  guint64 sp;
  gboolean is_interrupted; /* pc is where the thread was, not where a call returns to */
  gboolean came_by_pointer;
  guint n_switches;
  guint64 return_slot; /* where in memory pc was read; 0: from elsewhere */

  Extension behind;    /* the copy, and its end as it is now */
  Extension elsewhere; /* another stack */
  gsize n_extended;
  gboolean has_changed; /* the thread has gone on: nothing beyond the copy can be believed */
  WeftStackEnd lacking; /* why it ends if it needs a value that could not be had */
  WeftStackEnd end;
} Walk;

/* Memory */

static gboolean
take_word (const Extension *self, guint64 address, guint64 *value)
{
  guint64 offset = address - self->address;

  if (self->length < sizeof *value || offset > self->length - sizeof *value)
    return FALSE;
  memcpy (value, self->bytes + offset, sizeof *value);
  return TRUE;
}

/* Reads on behind what there is, at least until ADDRESS; in steps that double. */
static gboolean
extend (Walk *self, Extension *extension, guint64 address)
{
  guint64 wanted = address + sizeof (guint64) - extension->address;
  gsize size = MAX (FIRST_EXTENSION, extension->length * 2);
  gsize n;

  while (size < wanted)
    size *= 2;
  size = MIN (size, extension->length + (WEFT_UNWIND_MAX_EXTENSION - self->n_extended));
  if (extension->is_over || wanted > size || size <= extension->length)
    return FALSE;
  extension->bytes = g_realloc (extension->bytes, size);
  n = self->stack->more (extension->address + extension->length,
                         extension->bytes + extension->length, size - extension->length,
                         self->stack->data);
  n = MIN (n, size - extension->length);
  extension->is_over = n < size - extension->length;
  extension->length += n;
  self->n_extended += n;
  return wanted <= extension->length;
}

/* Where what is read beyond the copy begins: with the return address that led to this frame, so
 * that it can be seen whether that still stands there.
 */
static gsize
choose_overlap (const Walk *self)
{
  const WeftStackCopy *stack = self->stack;
  guint64 slot = self->return_slot - stack->address;
  gsize overlap = MIN (OVERLAP, stack->length);

  if (self->return_slot >= stack->address && slot < stack->length)
    overlap = MAX (overlap, MIN (MAX_OVERLAP, stack->length - slot));
  return overlap;
}

/*
 * The thread may have gone on since its stack was copied. It has not gone so far as to change the
 * callers if the return address that led to this frame still stands where it stood, and most of the
 * words around it. Whether that was right shows at the end: only a stack that then leads down to
 * where the thread began is believed.
 */
static gboolean
is_still_there (const Walk *self, gsize overlap)
{
  const WeftStackCopy *stack = self->stack;
  const guint8 *before = stack->bytes + stack->length - overlap;
  guint64 slot = self->return_slot - self->behind.address;
  gsize n_same = 0;

  if (self->behind.length < overlap)
    return FALSE;
  if (memcmp (self->behind.bytes, before, overlap) == 0)
    return TRUE;
  if (self->return_slot < self->behind.address || slot > overlap - sizeof (guint64) ||
      memcmp (self->behind.bytes + slot, before + slot, sizeof (guint64)) != 0)
    return FALSE;
  for (gsize at = 0; at + sizeof (guint64) <= overlap; at += sizeof (guint64))
    n_same += memcmp (self->behind.bytes + at, before + at, sizeof (guint64)) == 0;
  return n_same * 2 * sizeof (guint64) >= overlap;
}

/* Words that lie behind the copy or over its edge. */
static gboolean
read_behind (Walk *self, guint64 address, guint64 *value)
{
  const WeftStackCopy *stack = self->stack;

  if (self->has_changed)
    return FALSE;
  if (self->behind.bytes == NULL)
    {
      gsize overlap = choose_overlap (self);

      self->behind.address = stack->address + stack->length - overlap;
      extend (self, &self->behind, address);
      if (!is_still_there (self, overlap))
        {
          self->has_changed = TRUE;
          return FALSE;
        }
    }
  return take_word (&self->behind, address, value) ||
         (extend (self, &self->behind, address) && take_word (&self->behind, address, value));
}

/* Another stack: that which a signal interrupted, or whose end was moved. */
static gboolean
read_elsewhere (Walk *self, guint64 address, guint64 *value)
{
  Extension *elsewhere = &self->elsewhere;

  if (take_word (elsewhere, address, value))
    return TRUE;
  if (elsewhere->bytes == NULL || address < elsewhere->address ||
      address - elsewhere->address > WEFT_UNWIND_MAX_EXTENSION)
    {
      g_free (elsewhere->bytes);
      *elsewhere = (Extension){ .address = address & ~(guint64) 15 };
    }
  return extend (self, elsewhere, address) && take_word (elsewhere, address, value);
}

static gboolean
read_beyond (Walk *self, guint64 address, guint64 *value)
{
  const WeftStackCopy *stack = self->stack;
  guint64 end = stack->address + stack->length;

  if (stack->more == NULL || address > G_MAXUINT64 - WEFT_UNWIND_MAX_EXTENSION)
    return FALSE;
  if (address > end - sizeof (guint64) && address - end < WEFT_UNWIND_MAX_EXTENSION)
    return read_behind (self, address, value);
  return read_elsewhere (self, address, value);
}

static inline gboolean
read_word (Walk *self, guint64 address, guint64 *value)
{
  const WeftStackCopy *stack = self->stack;
  guint64 offset = address - stack->address;

  if (G_LIKELY (offset < stack->length && stack->length - offset >= sizeof *value))
    {
      memcpy (value, stack->bytes + offset, sizeof *value);
      return TRUE;
    }
  return read_beyond (self, address, value);
}

static gboolean
read_for_expression (guint64 address, guint64 *value, gpointer data)
{
  return read_word (data, address, value);
}

/* Registers */

static inline gboolean
is_known (const Walk *self, guint number)
{
  return self->known >> number & 1;
}

static gboolean
get_for_expression (guint number, guint64 *value, gpointer data)
{
  Walk *self = data;

  if (number >= WEFT_UNWIND_N_REGISTERS || !is_known (self, number))
    return FALSE;
  *value = self->values[number];
  return TRUE;
}

static inline gboolean
stop (Walk *self, WeftStackEnd end)
{
  self->end = end;
  return FALSE;
}

/* Something could not be had, which may yet not matter. */
static inline gboolean
lack (Walk *self, WeftStackEnd end)
{
  self->lacking = end;
  return FALSE;
}

/* Where registers are numbered by the machine, those that stand for pc and sp are set by it. */
static void
set_machine (Walk *self, const WeftUnwindMachine *machine)
{
  self->machine = machine;
  self->values[machine->stack_pointer] = self->sp;
  self->known |= G_GUINT64_CONSTANT (1) << machine->stack_pointer;
}

/* Rules */

static gboolean
evaluate (Walk *self, const WeftUnwindCacheEntry *entry, const WeftUnwindPlace *place,
          gboolean has_cfa, guint64 cfa, guint64 *value)
{
  const guint8 *bytes = weft_unwind_table_get_expression (entry->table, place);

  switch (weft_unwind_expression_evaluate (bytes, place->operand, has_cfa, cfa, get_for_expression,
                                           read_for_expression, self, value))
    {
    case WEFT_UNWIND_EXPRESSION_DONE:
      return TRUE;
    case WEFT_UNWIND_EXPRESSION_NO_MEMORY:
      return lack (self, WEFT_STACK_END_TRUNCATED);
    default:
      return lack (self, WEFT_STACK_END_UNSUPPORTED);
    }
}

static gboolean
find_cfa (Walk *self, const WeftUnwindCacheEntry *entry, guint64 *cfa)
{
  const WeftUnwindPlace *place = &entry->rule->cfa;

  switch (place->how)
    {
    case WEFT_UNWIND_REGISTER_PLUS:
    case WEFT_UNWIND_DEREFERENCED:
      if (!is_known (self, place->operand))
        return FALSE;
      *cfa = self->values[place->operand] + (gint64) place->value;
      return place->how != WEFT_UNWIND_DEREFERENCED || read_word (self, *cfa, cfa) ||
             lack (self, WEFT_STACK_END_TRUNCATED);
    case WEFT_UNWIND_PLT:
      *cfa = self->sp + (gint64) place->value + ((self->pc & 15) >= place->operand ? 8 : 0);
      return TRUE;
    case WEFT_UNWIND_EXPRESSION:
      return evaluate (self, entry, place, FALSE, 0, cfa);
    default:
      return FALSE;
    }
}

/* What lies below the stack pointer was popped already: the register has its value again. */
static inline gboolean
take_from (Walk *self, guint64 address, gboolean may_be_elsewhere, guint64 *value)
{
  if (address < self->sp && !may_be_elsewhere)
    return TRUE;
  return read_word (self, address, value) || lack (self, WEFT_STACK_END_TRUNCATED);
}

/* The value in the calling function of one register; VALUE has what it is here. FALSE if it cannot
 * be had, which matters only if somebody needs it.
 */
static gboolean
restore_one (Walk *self, const WeftUnwindCacheEntry *entry, const WeftUnwindPlace *place,
             guint64 cfa, guint64 *value)
{
  gboolean is_switch = (entry->rule->flags & WEFT_UNWIND_RULE_SWITCH) != 0;
  guint64 address;

  switch (place->how)
    {
    case WEFT_UNWIND_AT_CFA:
      return take_from (self, cfa + (gint64) place->value, is_switch, value);
    case WEFT_UNWIND_CFA_PLUS:
      *value = cfa + (gint64) place->value;
      return TRUE;
    case WEFT_UNWIND_COPY:
      *value = self->values[place->operand];
      return is_known (self, place->operand);
    case WEFT_UNWIND_AT_REGISTER:
      if (!is_known (self, place->operand))
        return FALSE;
      address = self->values[place->operand] + (gint64) place->value;

      /* GCC says of realigned stacks that registers are where the frame pointer points even after
       * it was popped, when it points into the caller's frame.
       */
      if (address >= cfa && self->is_interrupted && !is_switch)
        return TRUE;
      return take_from (self, address, is_switch, value);
    case WEFT_UNWIND_AT_EXPRESSION:
      return evaluate (self, entry, place, TRUE, cfa, &address) &&
             take_from (self, address, is_switch, value);
    default: /* WEFT_UNWIND_EXPRESSION */
      return evaluate (self, entry, place, TRUE, cfa, value);
    }
}

/* The registers of the calling function. All are worked out from those of this one. */
static void
restore (Walk *self, const WeftUnwindCacheEntry *entry, guint64 cfa)
{
  const WeftUnwindRule *rule = entry->rule;
  guint64 restored[WEFT_UNWIND_N_REGISTERS];
  guint64 known = self->known;

  if (!(rule->flags & WEFT_UNWIND_RULE_SIGNAL))
    known &= self->machine->preserved;
  for (guint i = 0; i < rule->n_saved; i++)
    {
      const WeftUnwindPlace *place = &rule->saved[i];
      guint64 bit = G_GUINT64_CONSTANT (1) << place->number;

      restored[i] = self->values[place->number];
      if (place->how != WEFT_UNWIND_UNDEFINED &&
          restore_one (self, entry, place, cfa, &restored[i]))
        known |= bit;
      else
        known &= ~bit;
    }
  for (guint i = 0; i < rule->n_saved; i++)
    self->values[rule->saved[i].number] = restored[i];
  self->known = known;
}

/* Stacks shrink with each return; where another one is gone to, the number of times is bounded. */
static gboolean
is_progress (Walk *self, const WeftUnwindRule *rule, guint64 sp, guint64 pc)
{
  if (sp > self->sp)
    return TRUE;
  if (sp == self->sp && self->is_interrupted && pc != self->pc)
    return TRUE;
  return ((rule->flags & WEFT_UNWIND_RULE_SIGNAL) || rule->cfa.how == WEFT_UNWIND_DEREFERENCED ||
          rule->cfa.how == WEFT_UNWIND_EXPRESSION) &&
         self->n_switches++ < MAX_SWITCHES;
}

/* Goes on to the calling function at PC. */
static gboolean
go_on (Walk *self, const WeftUnwindRule *rule, guint64 sp, guint64 pc)
{
  pc &= self->machine->address_mask;
  if (pc == 0)
    return stop (self, WEFT_STACK_END_COMPLETE);
  if (!is_progress (self, rule, sp, pc))
    return stop (self, WEFT_STACK_END_STUCK);
  self->sp = sp;
  self->pc = pc;
  self->values[self->machine->stack_pointer] = sp;
  self->known |= G_GUINT64_CONSTANT (1) << self->machine->stack_pointer;
  self->is_interrupted = (rule->flags & WEFT_UNWIND_RULE_SIGNAL) != 0;
  self->came_by_pointer = FALSE;
  return TRUE;
}

static gboolean
step_by_rule (Walk *self, const WeftUnwindCacheEntry *entry)
{
  const WeftUnwindRule *rule = entry->rule;
  guint return_address = self->machine->return_address;
  guint stack_pointer = self->machine->stack_pointer;
  guint64 cfa = 0;
  guint64 pc;
  guint64 slot;

  if (rule->flags & WEFT_UNWIND_RULE_END)
    return stop (self, WEFT_STACK_END_COMPLETE);
  if (rule->flags & WEFT_UNWIND_RULE_UNKNOWN)
    return stop (self, WEFT_STACK_END_UNSUPPORTED);
  if (!find_cfa (self, entry, &cfa))
    return stop (self, self->lacking);

  if (G_LIKELY (rule->flags & WEFT_UNWIND_RULE_SIMPLE))
    {
      guint64 address = cfa + rule->return_offset;

      if (G_UNLIKELY (address < self->sp) && self->machine->has_link &&
          is_known (self, return_address))
        pc = self->values[return_address];
      else if (!read_word (self, address, &pc))
        return stop (self, WEFT_STACK_END_TRUNCATED);
      restore (self, entry, cfa);
    }
  else
    {
      /* In a function that calls none, the register that has it is as it was. */
      restore (self, entry, cfa);
      if (!is_known (self, return_address))
        return stop (self, self->lacking);
      pc = self->values[return_address];
    }
  if (G_UNLIKELY (rule->flags & WEFT_UNWIND_RULE_SWITCH))
    {
      if (!is_known (self, stack_pointer))
        return stop (self, self->lacking);
      cfa = self->values[stack_pointer];
    }
  slot = rule->flags & WEFT_UNWIND_RULE_SIMPLE ? cfa + rule->return_offset : 0;
  if (!go_on (self, rule, cfa, pc))
    return FALSE;
  self->return_slot = slot;
  return TRUE;
}

/* Code without tables, above all what was compiled at run time, may keep frame pointers: the
 * caller's and the return address lie where this one points. That it is one shows in that the
 * address is one of code.
 */
static gboolean
step_by_pointer (Walk *self, const WeftUnwindCacheEntry *entry)
{
  WeftStackEnd end = entry->module == NULL ? WEFT_STACK_END_NO_MODULE : WEFT_STACK_END_NO_TABLE;
  guint number = self->machine->frame_pointer;
  guint64 pointer = self->values[number];
  guint64 next, pc;

  if (!is_known (self, number))
    return stop (self, end);
  if (pointer == 0 && self->came_by_pointer)
    return stop (self, WEFT_STACK_END_COMPLETE);
  if (pointer < self->sp || pointer - self->sp > WEFT_UNWIND_MAX_EXTENSION || pointer % 8 != 0 ||
      !read_word (self, pointer, &next) || !read_word (self, pointer + 8, &pc))
    return stop (self, end);
  pc &= self->machine->address_mask;
  if (pc == 0)
    return stop (self, WEFT_STACK_END_COMPLETE);
  if (!weft_address_space_contains (self->space, pc - 1))
    return stop (self, end);

  self->known &= self->machine->preserved;
  self->values[number] = next;
  self->sp = pointer + 16;
  self->values[self->machine->stack_pointer] = self->sp;
  self->pc = pc;
  self->is_interrupted = FALSE;
  self->came_by_pointer = TRUE;
  self->return_slot = pointer + 8;
  return TRUE;
}

/* Frames */

static void
fill_entry (Walk *self, WeftUnwindCacheEntry *entry, guint64 key, guint64 address)
{
  const WeftAddressMapping *mapping = weft_address_space_find (self->space, address);

  memset (entry, 0, sizeof *entry);
  entry->key = key;
  if (mapping == NULL)
    return;
  entry->is_mapped = TRUE;
  entry->module = mapping->module;
  entry->bias = mapping->bias;
  if (mapping->module != NULL)
    entry->table = weft_code_module_get_unwind_table (mapping->module);
  if (entry->table != NULL)
    entry->rule = weft_unwind_table_lookup (entry->table, address + mapping->bias);
}

static inline const WeftUnwindCacheEntry *
look_up (Walk *self, WeftUnwindCache *cache)
{
  guint64 key = self->pc << 1 | !self->is_interrupted;
  guint64 hash = key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  WeftUnwindCacheEntry *entry = &cache->entries[hash >> 54 & (WEFT_UNWIND_CACHE_SIZE - 1)];

  if (G_UNLIKELY (entry->key != key))
    fill_entry (self, entry, key, self->is_interrupted ? self->pc : self->pc - 1);
  return entry;
}

static inline void
set_frame (const Walk *self, const WeftUnwindCacheEntry *entry, WeftCodeFrame *frame)
{
  frame->module = entry->module;
  frame->offset = self->pc + entry->bias;
  frame->address = self->pc;
  frame->flags = self->is_interrupted ? 0 : WEFT_FRAME_RETURN_ADDRESS;
}

/* What unwinding begins with says which machine's registers these are; where nothing does, they are
 * taken to be of the one we run on.
 */
static const WeftUnwindMachine *
choose_machine (const WeftUnwindCacheEntry *entry)
{
  if (entry->table != NULL)
    return weft_unwind_table_get_machine (entry->table);
  return weft_unwind_machine_get_native ();
}

static gboolean
step (Walk *self, const WeftUnwindCacheEntry *entry)
{
  if (G_UNLIKELY (self->machine == NULL))
    {
      const WeftUnwindMachine *machine = choose_machine (entry);

      if (machine == NULL)
        return stop (self, WEFT_STACK_END_UNSUPPORTED);
      set_machine (self, machine);
    }
  if (entry->rule != NULL && weft_unwind_table_get_machine (entry->table) != self->machine)
    return stop (self, WEFT_STACK_END_UNSUPPORTED);
  if (G_LIKELY (entry->rule != NULL))
    return step_by_rule (self, entry);
  if (!entry->is_mapped && !self->came_by_pointer && !self->is_interrupted)
    return stop (self, WEFT_STACK_END_NO_MODULE);
  if (entry->table != NULL && weft_unwind_table_is_entry (entry->table, self->pc + entry->bias))
    return stop (self, WEFT_STACK_END_COMPLETE);
  return step_by_pointer (self, entry);
}

static void
walk_init (Walk *self, WeftAddressSpace *space, const WeftRegisters *registers,
           const WeftStackCopy *stack)
{
  self->space = space;
  self->stack = stack;
  self->machine = NULL;
  memcpy (self->values, registers->values, sizeof self->values);
  self->known = registers->known != 0 ? registers->known : G_MAXUINT64;
  self->pc = registers->pc;
  self->sp = registers->sp;
  self->is_interrupted = TRUE;
  self->came_by_pointer = FALSE;
  self->n_switches = 0;
  self->return_slot = 0;
  self->behind = (Extension){ 0 };
  self->elsewhere = (Extension){ 0 };
  self->n_extended = 0;
  self->has_changed = FALSE;
  self->lacking = WEFT_STACK_END_UNSUPPORTED;
  self->end = WEFT_STACK_END_DEPTH;
}

guint
weft_unwind (WeftAddressSpace *space, const WeftRegisters *registers, const WeftStackCopy *stack,
             WeftCodeFrame *frames, guint max_frames, WeftStackEnd *end, gboolean *extended)
{
  WeftUnwindCache *cache = weft_address_space_get_cache (space);
  guint limit = MIN (max_frames, WEFT_UNWIND_MAX_FRAMES);
  guint n = 0;
  guint n_copied = 0; /* frames that the copy alone gave */
  Walk walk;

  walk_init (&walk, space, registers, stack);
  while (n < limit)
    {
      const WeftUnwindCacheEntry *entry = look_up (&walk, cache);

      set_frame (&walk, entry, &frames[n++]);
      if (walk.n_extended == 0)
        n_copied = n;
      if (!step (&walk, entry))
        break;
      if (n == limit)
        walk.end = WEFT_STACK_END_DEPTH;
    }

  /* What was read beyond the copy led nowhere: the thread had gone on. */
  if (G_UNLIKELY (walk.n_extended > 0) && walk.end != WEFT_STACK_END_COMPLETE &&
      walk.end != WEFT_STACK_END_DEPTH)
    {
      walk.end = WEFT_STACK_END_TRUNCATED;
      n = n_copied;
    }
  g_free (walk.behind.bytes);
  g_free (walk.elsewhere.bytes);
  *end = walk.end;
  if (extended != NULL)
    *extended = walk.n_extended > 0;
  return n;
}

G_STATIC_ASSERT (WEFT_UNWIND_N_REGISTERS == G_N_ELEMENTS (((WeftRegisters *) 0)->values));
