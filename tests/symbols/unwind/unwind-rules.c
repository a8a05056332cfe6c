/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints what the unwinder's tables say of all functions of a file, for a comparison with what
 * readelf does.
 *
 *   unwind-rules FILE
 *
 * A line "F BEGIN END" for each function, and one for each row of it: "BEGIN CFA REGISTER=PLACE …".
 */

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "weft-unwind-table.h"

typedef struct
{
  WeftUnwindTable *table;
  guint64 function;
} Printer;

static void
print_register (const Printer *self, guint number)
{
  static const char *const names[] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8",
                                       "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "ra" };
  const WeftUnwindMachine *machine = weft_unwind_table_get_machine (self->table);

  if (number == machine->return_address)
    printf ("ra");
  else if (machine->machine == EM_X86_64)
    printf ("%s", names[number]);
  else if (number == machine->stack_pointer)
    printf ("sp");
  else
    printf ("x%u", number);
}

static void
print_cfa (const Printer *self, const WeftUnwindPlace *cfa)
{
  if (cfa->how != WEFT_UNWIND_REGISTER_PLUS)
    {
      printf (" exp");
      return;
    }
  printf (" ");
  print_register (self, cfa->operand);
  printf ("%+d", cfa->value);
}

static void
print_place (const Printer *self, const WeftUnwindPlace *place)
{
  if (place->how == WEFT_UNWIND_UNDEFINED)
    return;
  printf (" ");
  print_register (self, place->number);
  switch (place->how)
    {
    case WEFT_UNWIND_AT_CFA:
      printf ("=c%+d", place->value);
      break;
    case WEFT_UNWIND_CFA_PLUS:
      printf ("=v%+d", place->value);
      break;
    case WEFT_UNWIND_COPY:
      printf ("=");
      print_register (self, place->operand);
      break;
    case WEFT_UNWIND_EXPRESSION:
      printf ("=vexp");
      break;
    default:
      printf ("=exp");
      break;
    }
}

static void
print_rule (const Printer *self, guint64 begin, const WeftUnwindRule *rule)
{
  printf ("%016" G_GINT64_MODIFIER "x", begin);
  if (rule == NULL)
    printf (" nothing");
  else if (rule->flags & WEFT_UNWIND_RULE_END)
    printf (" end");
  else if (rule->flags & WEFT_UNWIND_RULE_UNKNOWN)
    printf (" unknown");
  else
    {
      print_cfa (self, &rule->cfa);
      if (rule->flags & WEFT_UNWIND_RULE_SIMPLE)
        printf (" ra=c%+d", rule->return_offset);
      for (guint i = 0; i < rule->n_saved; i++)
        print_place (self, &rule->saved[i]);
    }
  printf ("\n");
}

/* What is found by address has to hold up to the end of the row. */
static void
print_row (const WeftUnwindFde *fde, const WeftUnwindCie *cie, guint64 begin, guint64 end,
           const WeftUnwindRow *row, gpointer data)
{
  Printer *self = data;
  const WeftUnwindRule *rule = weft_unwind_table_lookup (self->table, begin);

  if (fde->begin != self->function)
    printf ("F %016" G_GINT64_MODIFIER "x %016" G_GINT64_MODIFIER "x\n", fde->begin, fde->end);
  self->function = fde->begin;
  print_rule (self, begin, rule);
  if (weft_unwind_table_lookup (self->table, end - 1) != rule)
    printf ("another rule at its end\n");
}

int
main (int argc, char **argv)
{
  int descriptor = argc == 2 ? open (argv[1], O_RDONLY) : -1;
  g_autoptr (WeftElfImage) image = descriptor >= 0 ? weft_elf_image_new (descriptor) : NULL;
  Printer printer = { NULL, 0 };
  WeftUnwindTableSize size;

  if (image == NULL)
    {
      fprintf (stderr, "usage: unwind-rules FILE\n");
      return 2;
    }
  printer.table = weft_unwind_table_new (image, descriptor);
  if (printer.table == NULL)
    {
      fprintf (stderr, "unwind-rules: %s is for another machine\n", argv[1]);
      return 1;
    }
  weft_unwind_table_foreach (printer.table, print_row, &printer);
  weft_unwind_table_get_size (printer.table, &size);
  fprintf (stderr, "functions %u pages %u rows %u rules %u bytes %" G_GSIZE_FORMAT "\n",
           size.n_functions, size.n_pages, size.n_rows, size.n_rules, size.n_bytes);
  weft_unwind_table_free (printer.table);
  close (descriptor);
  return 0;
}
