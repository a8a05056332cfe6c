/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-disassemble.h"

#include <string.h>

#ifdef WEFT_HAVE_CAPSTONE
#include <capstone.h>
#endif

#define BYTES_IN_ROW 8

static void
clear_instruction (gpointer data)
{
  g_free (((WeftInstruction *) data)->text);
}

static GArray *
new_rows (void)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (WeftInstruction));

  g_array_set_clear_func (rows, clear_instruction);
  return rows;
}

/* ---- Without a disassembler ---- */

static GArray *
list_bytes (gsize length, guint64 address, const GArray *marks)
{
  GArray *rows = new_rows ();
  guint mark = 0;

  for (gsize at = 0; at < length;)
    {
      WeftInstruction row = { .address = address + at };
      gsize size = MIN (length - at, BYTES_IN_ROW);

      while (mark < marks->len && g_array_index (marks, guint64, mark) <= row.address)
        mark++;
      if (mark < marks->len)
        size = MIN (size, g_array_index (marks, guint64, mark) - row.address);
      row.size = (guint32) size;
      g_array_append_val (rows, row);
      at += size;
    }
  return rows;
}

#ifdef WEFT_HAVE_CAPSTONE

/* ---- With Capstone ---- */

static gboolean
open_engine (const char *architecture, csh *engine)
{
  if (g_strcmp0 (architecture, "x86_64") == 0)
    {
      if (cs_open (CS_ARCH_X86, CS_MODE_64, engine) != CS_ERR_OK)
        return FALSE;
      cs_option (*engine, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    }
  else if (g_strcmp0 (architecture, "aarch64") != 0 ||
           cs_open (CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, engine) != CS_ERR_OK)
    return FALSE;
  cs_option (*engine, CS_OPT_DETAIL, CS_OPT_ON);
  return TRUE;
}

gboolean
weft_disassemble_is_possible (const char *architecture, const char **reason)
{
  csh engine;

  *reason = NULL;
  if (!open_engine (architecture, &engine))
    {
      *reason = "code for this machine is not understood";
      return FALSE;
    }
  cs_close (&engine);
  return TRUE;
}

/* Of a call or a jump to a fixed place: its last operand that is a number. */
static gboolean
find_target (csh engine, const cs_insn *instruction, gboolean is_arm, guint64 *target)
{
  const cs_detail *detail = instruction->detail;
  guint8 n = is_arm ? detail->arm64.op_count : detail->x86.op_count;

  if (!cs_insn_group (engine, instruction, CS_GRP_CALL) &&
      !cs_insn_group (engine, instruction, CS_GRP_JUMP) &&
      !cs_insn_group (engine, instruction, CS_GRP_BRANCH_RELATIVE))
    return FALSE;
  while (n-- > 0)
    {
      if (is_arm ? detail->arm64.operands[n].type != ARM64_OP_IMM
                 : detail->x86.operands[n].type != X86_OP_IMM)
        continue;
      *target = (guint64) (is_arm ? detail->arm64.operands[n].imm : detail->x86.operands[n].imm);
      return TRUE;
    }
  return FALSE;
}

static void
append_instruction (GArray *rows, csh engine, const cs_insn *instruction, gboolean is_arm)
{
  WeftInstruction row = { .address = instruction->address, .size = instruction->size };

  row.text = *instruction->op_str
                 ? g_strdup_printf ("%s %s", instruction->mnemonic, instruction->op_str)
                 : g_strdup (instruction->mnemonic);
  row.has_target = find_target (engine, instruction, is_arm, &row.target);
  g_array_append_val (rows, row);
}

/* What is no instruction, as far as the next place that may be one. */
static void
append_rest (GArray *rows, guint64 address, guint32 size)
{
  WeftInstruction row = { .address = address, .size = size, .text = g_strdup ("(no instruction)") };

  g_array_append_val (rows, row);
}

GArray *
weft_disassemble (const char *architecture, const guint8 *code, gsize length, guint64 address,
                  const GArray *marks)
{
  gboolean is_arm = g_strcmp0 (architecture, "aarch64") == 0;
  guint32 step = is_arm ? 4 : 1;
  const guint8 *at = code;
  size_t left = length;
  cs_insn *instruction;
  GArray *rows;
  csh engine;

  if (!open_engine (architecture, &engine))
    return list_bytes (length, address, marks);
  rows = new_rows ();
  instruction = cs_malloc (engine);
  while (left > 0)
    {
      guint32 skipped;

      if (cs_disasm_iter (engine, &at, &left, &address, instruction))
        {
          append_instruction (rows, engine, instruction, is_arm);
          continue;
        }
      skipped = (guint32) MIN (left, step);
      append_rest (rows, address, skipped);
      at += skipped;
      left -= skipped;
      address += skipped;
    }
  cs_free (instruction, 1);
  cs_close (&engine);
  return rows;
}

#else

gboolean
weft_disassemble_is_possible (const char *architecture, const char **reason)
{
  *reason = "Weft was built without Capstone (meson option “disassembly”)";
  return FALSE;
}

GArray *
weft_disassemble (const char *architecture, const guint8 *code, gsize length, guint64 address,
                  const GArray *marks)
{
  return list_bytes (length, address, marks);
}

#endif
