/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-unwind-table.h"

#include <elf.h>

#include "weft-held-lock.h"

#define PAGE_BITS 12
#define PAGE_SIZE (1u << PAGE_BITS)
#define PAGE_MASK (PAGE_SIZE - 1)
#define MAX_CODE (G_GUINT64_CONSTANT (4) << 30)
#define MAX_SECTION (G_GUINT64_CONSTANT (256) << 20)
#define MAX_FUNCTIONS (4 * 1024 * 1024) /* the largest programs have some 600,000 */
#define MAX_FUNCTIONS_OF_A_PAGE (PAGE_SIZE + 1)
#define MAX_PROGRAMS_OF_A_PAGE (2 * 1024 * 1024) /* bytes; real ones have some thousands */
#define MAX_CIE_BYTES                                                                              \
  (G_GUINT64_CONSTANT (64) * 1024 * 1024) /* that are read again, all in all                       \
                                           */

#define RULE_BITS (32 - PAGE_BITS)
#define RULES_OF_A_BLOCK 256
#define MAX_RULES 65536
#define RULE_NONE 0

#define N_CIES 8
#define ENTRY_CODE                                                                                 \
  96 /* bytes from the entry on, in which nothing has been called from anywhere                    \
      */

/* Rows say from where on a rule holds. */
typedef struct
{
  guint n_rows;
  guint32 rows[]; /* address within the page << RULE_BITS | number of the rule */
} Page;

typedef struct
{
  guint32 begin; /* from the begin of the code */
  guint32 entry; /* in the section */
} Function;

struct _WeftUnwindTable
{
  const WeftUnwindMachine *machine;
  guint64 entry;
  guint64 code_begin;
  guint64 code_end;

  WeftUnwindSection section;
  guint8 *bytes;
  Function *functions; /* in order of address */
  guint n_functions;

  guint n_pages;
  Page **pages; /* published when they are whole */

  pthread_mutex_t lock; /* of what is made while we look up */
  const WeftUnwindRule **rules[MAX_RULES / RULES_OF_A_BLOCK];
  guint n_rules;
  GHashTable *numbers; /* of WeftUnwindRule */
  WeftUnwindCie cies[N_CIES];
  guint64 cie_bytes; /* that were read */
  guint n_built;
  guint n_rows;
  gsize rule_bytes;
};

/* rbx, rbp, rsp, r12 … r15; x19 … x30, sp */
static const WeftUnwindMachine machines[] = {
  { EM_X86_64, 7, 6, 16, 17, FALSE, 0xf0c8, G_MAXUINT64 },
  { EM_AARCH64, 31, 29, 30, 33, TRUE, 0xfff80000u, G_GUINT64_CONSTANT (0x0000ffffffffffff) },
};

const WeftUnwindMachine *
weft_unwind_machine_get_native (void)
{
#if defined(__x86_64__)
  return &machines[0];
#elif defined(__aarch64__)
  return &machines[1];
#else
  return NULL;
#endif
}

/* Rules */

static gsize
rule_size (guint n_saved)
{
  return sizeof (WeftUnwindRule) + n_saved * sizeof (WeftUnwindPlace);
}

static guint
rule_hash (gconstpointer data)
{
  const WeftUnwindRule *rule = data;
  const guint8 *bytes = data;
  gsize size = rule_size (rule->n_saved);
  guint hash = 2166136261u;

  for (gsize i = 0; i < size; i++)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static gboolean
rule_equal (gconstpointer a, gconstpointer b)
{
  const WeftUnwindRule *one = a;
  const WeftUnwindRule *other = b;

  return one->n_saved == other->n_saved && memcmp (one, other, rule_size (one->n_saved)) == 0;
}

/* Whether the place can be worked out. */
static gboolean
is_understood (const WeftUnwindTable *self, const WeftUnwindPlace *place)
{
  switch (place->how)
    {
    case WEFT_UNWIND_REGISTER_PLUS:
    case WEFT_UNWIND_DEREFERENCED:
    case WEFT_UNWIND_AT_REGISTER:
    case WEFT_UNWIND_COPY:
      return place->operand < self->machine->n_registers;
    case WEFT_UNWIND_PLT:
      return self->machine->machine == EM_X86_64;
    default:
      return place->how != WEFT_UNWIND_NOT_UNDERSTOOD;
    }
}

/* Puts into RULE, which has room, what ROW says. */
static void
fill_rule (const WeftUnwindTable *self, const WeftUnwindRow *row, const WeftUnwindCie *cie,
           WeftUnwindRule *rule)
{
  guint return_register = self->machine->return_address;
  const WeftUnwindPlace *ra = &row->registers[cie->return_register];

  memset (rule, 0, sizeof *rule);
  rule->cfa = row->cfa;
  if (cie->is_signal_frame)
    rule->flags |= WEFT_UNWIND_RULE_SIGNAL;
  if (ra->how == WEFT_UNWIND_UNDEFINED)
    {
      memset (&rule->cfa, 0, sizeof rule->cfa);
      rule->flags = WEFT_UNWIND_RULE_END;
      return;
    }
  if (!is_understood (self, &row->cfa) || !is_understood (self, ra))
    rule->flags |= WEFT_UNWIND_RULE_UNKNOWN;
  if (row->cfa.how == WEFT_UNWIND_REGISTER_PLUS && ra->how == WEFT_UNWIND_AT_CFA &&
      ra->value == (gint16) ra->value)
    {
      rule->flags |= WEFT_UNWIND_RULE_SIMPLE;
      rule->return_offset = ra->value;
    }

  for (guint i = 0; i < self->machine->n_registers; i++)
    {
      WeftUnwindPlace place = row->registers[i];

      /* A register that cannot be had is one that the caller had better not need. */
      if (place.how != WEFT_UNWIND_SAME && !is_understood (self, &place))
        place.how = WEFT_UNWIND_UNDEFINED;
      place.number = i;
      if (i == cie->return_register)
        {
          place.number = return_register;
          if (rule->flags & WEFT_UNWIND_RULE_SIMPLE)
            continue;
        }
      if (i == self->machine->stack_pointer && place.how != WEFT_UNWIND_SAME)
        rule->flags |= WEFT_UNWIND_RULE_SWITCH;
      if (place.how != WEFT_UNWIND_SAME)
        rule->saved[rule->n_saved++] = place;
    }
}

static const WeftUnwindRule *
get_rule (const WeftUnwindTable *self, guint number)
{
  return number == RULE_NONE ? NULL
                             : self->rules[number / RULES_OF_A_BLOCK][number % RULES_OF_A_BLOCK];
}

/* Its number; RULE_NONE if there are too many, which no real file has. */
static guint
intern_rule (WeftUnwindTable *self, const WeftUnwindRule *rule)
{
  gpointer number = g_hash_table_lookup (self->numbers, rule);
  gsize size = rule_size (rule->n_saved);
  WeftUnwindRule *kept;

  if (number != NULL)
    return GPOINTER_TO_UINT (number);
  if (self->n_rules + 1 >= MAX_RULES)
    return RULE_NONE;

  kept = g_memdup2 (rule, size);
  self->n_rules++;
  if (self->rules[self->n_rules / RULES_OF_A_BLOCK] == NULL)
    self->rules[self->n_rules / RULES_OF_A_BLOCK] =
        g_new0 (const WeftUnwindRule *, RULES_OF_A_BLOCK);
  self->rules[self->n_rules / RULES_OF_A_BLOCK][self->n_rules % RULES_OF_A_BLOCK] = kept;
  g_hash_table_insert (self->numbers, kept, GUINT_TO_POINTER (self->n_rules));
  self->rule_bytes += size;
  return self->n_rules;
}

/* Functions */

static const WeftUnwindCie *
get_cie (WeftUnwindTable *self, gsize offset)
{
  WeftUnwindCie *cie = &self->cies[offset / 4 % N_CIES];

  if (cie->offset != offset + 1)
    {
      gsize next;

      if (self->cie_bytes > MAX_CIE_BYTES)
        return NULL;
      weft_unwind_section_next (&self->section, offset, &next);
      self->cie_bytes += MIN (next - offset, MAX_CIE_BYTES);
      weft_unwind_section_read_cie (&self->section, offset, cie);
    }
  return cie->is_sound ? cie : NULL;
}

static const WeftUnwindCie *
read_function (WeftUnwindTable *self, gsize entry, WeftUnwindFde *fde)
{
  gsize offset;
  const WeftUnwindCie *cie;

  if (!weft_unwind_section_find_cie (&self->section, entry, &offset))
    return NULL;
  cie = get_cie (self, offset);
  return cie != NULL && weft_unwind_section_read_fde (&self->section, entry, cie, fde) ? cie : NULL;
}

static gint
compare_functions (gconstpointer a, gconstpointer b)
{
  const Function *one = a;
  const Function *other = b;

  if (one->begin != other->begin)
    return one->begin < other->begin ? -1 : 1;
  return one->entry < other->entry ? -1 : one->entry > other->entry;
}

static void
take_functions (WeftUnwindTable *self, GArray *functions)
{
  gboolean is_sorted = TRUE;

  for (guint i = 1; i < functions->len && is_sorted; i++)
    is_sorted = compare_functions (&g_array_index (functions, Function, i - 1),
                                   &g_array_index (functions, Function, i)) <= 0;
  if (!is_sorted)
    g_array_sort (functions, compare_functions);
  self->n_functions = functions->len;
  self->functions = (Function *) (gpointer) g_array_free (functions, FALSE);
}

static void
add_function (WeftUnwindTable *self, GArray *functions, guint64 begin, guint64 entry)
{
  Function function = { (guint32) (begin - self->code_begin), (guint32) entry };

  if (begin >= self->code_begin && begin < self->code_end && entry < self->section.size &&
      functions->len < MAX_FUNCTIONS)
    g_array_append_val (functions, function);
}

/* From the index that linkers make. FALSE if it says nothing. */
static gboolean
read_index (WeftUnwindTable *self, const guint8 *bytes, gsize size, guint64 address)
{
  WeftUnwindBases bases = { address, 0, address };
  WeftUnwindReader reader;
  GArray *functions;
  guint encodings[3];
  guint64 count;

  weft_unwind_reader_init (&reader, bytes, size);
  if (weft_unwind_reader_u8 (&reader) != 1)
    return FALSE;
  for (guint i = 0; i < 3; i++)
    encodings[i] = weft_unwind_reader_u8 (&reader);
  weft_unwind_reader_pointer (&reader, encodings[0], &bases);
  count = weft_unwind_reader_pointer (&reader, encodings[1], &bases);
  if (reader.failed || encodings[1] == 0xff || encodings[2] == 0xff)
    return FALSE;

  count = MIN (count, weft_unwind_reader_get_left (&reader) / 2);
  functions = g_array_sized_new (FALSE, FALSE, sizeof (Function), MIN (count, 1 << 20));
  for (guint64 i = 0; i < count; i++)
    {
      guint64 begin = weft_unwind_reader_pointer (&reader, encodings[2], &bases);
      guint64 entry = weft_unwind_reader_pointer (&reader, encodings[2], &bases);

      if (reader.failed)
        break;
      add_function (self, functions, begin, entry - self->section.address);
    }
  take_functions (self, functions);
  return self->n_functions > 0;
}

static void
scan_section (WeftUnwindTable *self)
{
  GArray *functions = g_array_new (FALSE, FALSE, sizeof (Function));
  gsize next;

  for (gsize offset = 0; offset < self->section.size; offset = next)
    {
      WeftUnwindFde fde;

      if (weft_unwind_section_next (&self->section, offset, &next) == WEFT_UNWIND_ENTRY_FDE &&
          read_function (self, offset, &fde) != NULL)
        add_function (self, functions, fde.begin, offset);
    }
  take_functions (self, functions);
}

/* The last function that begins at ADDRESS (from the begin of the code) or before it, or 0. */
static guint
find_function (const WeftUnwindTable *self, guint32 address)
{
  guint low = 0;
  guint high = self->n_functions;

  while (high - low > 1)
    {
      guint middle = (low + high) / 2;

      if (self->functions[middle].begin <= address)
        low = middle;
      else
        high = middle;
    }
  return low;
}

/* Pages */

typedef struct
{
  WeftUnwindTable *table;
  const WeftUnwindCie *cie;
  guint64 begin; /* of the page */
  guint64 end;
  GArray *rows;
} PageBuilder;

static void
add_row (PageBuilder *self, guint64 address, guint rule)
{
  guint32 within = (guint32) (address - self->begin);
  guint32 row = within << RULE_BITS | rule;

  /* A function that begins where another still is has the better claim. */
  while (self->rows->len > 0 &&
         g_array_index (self->rows, guint32, self->rows->len - 1) >> RULE_BITS >= within)
    g_array_set_size (self->rows, self->rows->len - 1);
  if (self->rows->len > 0 &&
      (g_array_index (self->rows, guint32, self->rows->len - 1) & ((1u << RULE_BITS) - 1)) == rule)
    return;
  g_array_append_val (self->rows, row);
}

static gboolean
add_rule (guint64 begin, guint64 end, const WeftUnwindRow *row, gpointer data)
{
  PageBuilder *self = data;
  union
  {
    WeftUnwindRule rule;
    guint8 room[sizeof (WeftUnwindRule) + WEFT_UNWIND_N_REGISTERS * sizeof (WeftUnwindPlace)];
  } filled;

  if (end <= self->begin)
    return TRUE;
  if (begin >= self->end)
    return FALSE;
  fill_rule (self->table, row, self->cie, &filled.rule);
  add_row (self, MAX (begin, self->begin), intern_rule (self->table, &filled.rule));
  return TRUE;
}

static Page *
build_page (WeftUnwindTable *self, guint number)
{
  PageBuilder builder = { .table = self,
                          .begin = self->code_begin + ((guint64) number << PAGE_BITS),
                          .rows = g_array_sized_new (FALSE, FALSE, sizeof (guint32), 256) };
  guint32 begin = number << PAGE_BITS;
  guint first = find_function (self, begin);
  gsize left = MAX_PROGRAMS_OF_A_PAGE;
  Page *page;

  builder.end = builder.begin + PAGE_SIZE;
  for (guint i = first;
       i < self->n_functions && i - first < MAX_FUNCTIONS_OF_A_PAGE &&
       (self->functions[i].begin < begin || self->functions[i].begin - begin < PAGE_SIZE);
       i++)
    {
      WeftUnwindFde fde;

      builder.cie = read_function (self, self->functions[i].entry, &fde);
      if (builder.cie == NULL || fde.begin - self->code_begin != self->functions[i].begin)
        continue;
      if (fde.program_size > left)
        break;
      left -= fde.program_size;
      weft_unwind_section_run (&self->section, builder.cie, &fde, add_rule, &builder);
      if (fde.end > builder.begin && fde.end < builder.end)
        add_row (&builder, fde.end, RULE_NONE);
    }

  page = g_malloc (sizeof (Page) + builder.rows->len * sizeof (guint32));
  page->n_rows = builder.rows->len;
  memcpy (page->rows, builder.rows->data, builder.rows->len * sizeof (guint32));
  g_array_unref (builder.rows);
  self->n_built++;
  self->n_rows += page->n_rows;
  return page;
}

static Page *
get_page (WeftUnwindTable *self, guint number)
{
  Page *page = __atomic_load_n (&self->pages[number], __ATOMIC_ACQUIRE);

  if (G_UNLIKELY (page == NULL))
    {
      g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);

      page = self->pages[number];
      if (page == NULL)
        {
          page = build_page (self, number);
          __atomic_store_n (&self->pages[number], page, __ATOMIC_RELEASE);
        }
    }
  return page;
}

const WeftUnwindRule *
weft_unwind_table_lookup (WeftUnwindTable *self, guint64 address)
{
  guint64 within = address - self->code_begin;
  const Page *page;
  guint32 wanted;
  guint low = 0;
  guint high;

  if (within >= self->code_end - self->code_begin || self->n_functions == 0)
    return NULL;
  page = get_page (self, within >> PAGE_BITS);
  wanted = (guint32) (within & PAGE_MASK) << RULE_BITS | ((1u << RULE_BITS) - 1);
  for (high = page->n_rows; low < high;)
    {
      guint middle = (low + high) / 2;

      if (page->rows[middle] <= wanted)
        low = middle + 1;
      else
        high = middle;
    }
  return low == 0 ? NULL : get_rule (self, page->rows[low - 1] & ((1u << RULE_BITS) - 1));
}

gboolean
weft_unwind_table_find_function (WeftUnwindTable *self, guint64 address, guint64 *begin)
{
  guint64 within = address - self->code_begin;
  const Function *function;
  WeftUnwindFde fde;
  gboolean found;

  if (within >= self->code_end - self->code_begin || self->n_functions == 0)
    return FALSE;
  function = &self->functions[find_function (self, (guint32) within)];
  {
    g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);

    found = read_function (self, function->entry, &fde) != NULL;
  }
  if (!found || address < fde.begin || address >= fde.end)
    return FALSE;
  *begin = fde.begin;
  return TRUE;
}

/* Tables */

static const WeftUnwindMachine *
find_machine (const WeftElfImage *image)
{
  for (guint i = 0; i < G_N_ELEMENTS (machines); i++)
    if (weft_elf_image_is_64 (image) && machines[i].machine == weft_elf_image_get_machine (image))
      return &machines[i];
  return NULL;
}

static void
read_section (WeftUnwindTable *self, WeftElfImage *image, int descriptor)
{
  WeftElfFrames frames;
  g_autofree guint8 *index = NULL;

  if (!weft_elf_image_find_frames (image, descriptor, &frames) || frames.size > MAX_SECTION)
    return;
  self->bytes = weft_elf_image_read (image, descriptor, frames.offset, frames.size);
  if (self->bytes == NULL)
    return;
  self->section =
      (WeftUnwindSection){ self->bytes, frames.size, frames.address, frames.is_debug_frame };
  if (frames.index_size > 0 && frames.index_size <= MAX_SECTION)
    index = weft_elf_image_read (image, descriptor, frames.index_offset, frames.index_size);
  if (index == NULL || !read_index (self, index, frames.index_size, frames.index_address))
    {
      g_clear_pointer (&self->functions, g_free);
      scan_section (self);
    }
}

WeftUnwindTable *
weft_unwind_table_new (WeftElfImage *image, int descriptor)
{
  const WeftUnwindMachine *machine = find_machine (image);
  WeftUnwindTable *self;

  if (machine == NULL)
    return NULL;
  self = g_new0 (WeftUnwindTable, 1);
  pthread_mutex_init (&self->lock, NULL);
  self->numbers = g_hash_table_new_full (rule_hash, rule_equal, g_free, NULL);
  self->machine = machine;
  self->entry = weft_elf_image_get_entry (image);
  if (!weft_elf_image_get_code (image, &self->code_begin, &self->code_end))
    return self;
  self->code_begin &= ~(guint64) PAGE_MASK;
  self->code_end = self->code_begin + MIN (self->code_end - self->code_begin, MAX_CODE - 1);
  self->n_pages = ((self->code_end - self->code_begin - 1) >> PAGE_BITS) + 1;
  self->pages = g_new0 (Page *, self->n_pages);
  read_section (self, image, descriptor);
  return self;
}

void
weft_unwind_table_free (WeftUnwindTable *self)
{
  for (guint i = 0; i < self->n_pages; i++)
    g_free (self->pages[i]);
  for (guint i = 0; i < G_N_ELEMENTS (self->rules); i++)
    g_free (self->rules[i]);
  g_hash_table_unref (self->numbers);
  g_free (self->pages);
  g_free (self->functions);
  g_free (self->bytes);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

const WeftUnwindMachine *
weft_unwind_table_get_machine (const WeftUnwindTable *self)
{
  return self->machine;
}

gboolean
weft_unwind_table_is_entry (const WeftUnwindTable *self, guint64 address)
{
  return self->entry != 0 && address - self->entry < ENTRY_CODE;
}

const guint8 *
weft_unwind_table_get_expression (const WeftUnwindTable *self, const WeftUnwindPlace *place)
{
  return self->section.bytes + place->value;
}

void
weft_unwind_table_get_size (WeftUnwindTable *self, WeftUnwindTableSize *size)
{
  g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);

  size->n_functions = self->n_functions;
  size->n_pages = self->n_built;
  size->n_rows = self->n_rows;
  size->n_rules = self->n_rules;
  size->n_bytes = sizeof *self + self->section.size + self->n_functions * sizeof (Function) +
                  self->n_pages * sizeof (Page *) + self->n_built * sizeof (Page) +
                  self->n_rows * sizeof (guint32) + self->rule_bytes;
}

/* Every row of one function. */
typedef struct
{
  const WeftUnwindFde *fde;
  const WeftUnwindCie *cie;
  void (*each) (const WeftUnwindFde *fde, const WeftUnwindCie *cie, guint64 begin, guint64 end,
                const WeftUnwindRow *row, gpointer data);
  gpointer data;
} RowTeller;

static gboolean
tell_row (guint64 begin, guint64 end, const WeftUnwindRow *row, gpointer data)
{
  RowTeller *self = data;

  self->each (self->fde, self->cie, begin, end, row, self->data);
  return TRUE;
}

void
weft_unwind_table_foreach (WeftUnwindTable *self,
                           void (*each) (const WeftUnwindFde *fde, const WeftUnwindCie *cie,
                                         guint64 begin, guint64 end, const WeftUnwindRow *row,
                                         gpointer data),
                           gpointer data)
{
  WeftUnwindCie cie = { 0 };
  gsize next;

  for (gsize offset = 0; offset < self->section.size; offset = next)
    {
      WeftUnwindFde fde;
      RowTeller teller = { &fde, &cie, each, data };
      gsize where;

      if (weft_unwind_section_next (&self->section, offset, &next) != WEFT_UNWIND_ENTRY_FDE ||
          !weft_unwind_section_find_cie (&self->section, offset, &where))
        continue;
      if (cie.offset != where + 1)
        weft_unwind_section_read_cie (&self->section, where, &cie);
      if (cie.is_sound && weft_unwind_section_read_fde (&self->section, offset, &cie, &fde))
        weft_unwind_section_run (&self->section, &cie, &fde, tell_row, &teller);
    }
}

G_STATIC_ASSERT (sizeof (WeftUnwindPlace) == 8);
G_STATIC_ASSERT (MAX_RULES <= 1u << RULE_BITS);
