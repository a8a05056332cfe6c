/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routines by the address of their code. The dynamic linker knows the names that a file exports;
 * all others stand in its symbol table, which is not loaded: it is read from the file, if that is
 * still the one that was loaded.
 */
#include "weft-target-private.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 512

#if defined(__GLIBC__) && defined(__LP64__)
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOLS_AT_ONCE 128
#define MAX_SECTIONS 4096

static bool
read_at (int fd, uint64_t offset, void *buffer, size_t size)
{
  return offset <= INT64_MAX && pread (fd, buffer, size, (off_t) offset) == (ssize_t) size;
}

/* It is read, not mapped: a file that is cut in the meantime must not kill the program. */
static int
open_file (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  struct stat st;

  if (fd >= 0 && (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode)))
    {
      close (fd);
      fd = -1;
    }
  return fd;
}

/* Its head, with the build id of most, is what was loaded at BASE. */
static bool
is_loaded (int fd, const Elf64_Ehdr *head, const void *base)
{
  uint8_t buffer[2048];
  Elf64_Phdr part;

  if (memcmp (head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64
      || head->e_phentsize != sizeof part || head->e_shentsize != sizeof (Elf64_Shdr))
    return false;
  for (unsigned int i = 0; i < head->e_phnum; i++)
    {
      size_t length;

      if (!read_at (fd, head->e_phoff + i * sizeof part, &part, sizeof part))
        return false;
      if (part.p_type != PT_LOAD || part.p_offset != 0)
        continue;
      length = part.p_filesz < sizeof buffer ? part.p_filesz : sizeof buffer;
      return read_at (fd, 0, buffer, length) && memcmp (base, buffer, length) == 0;
    }
  return false;
}

/* The smallest function of TABLE that ADDRESS, as the file counts, lies in. */
static bool
find_in_table (int fd, const Elf64_Shdr *table, uint64_t address, Elf64_Sym *found)
{
  Elf64_Sym symbols[SYMBOLS_AT_ONCE];
  uint64_t n = table->sh_size / sizeof *symbols;
  bool any = false;

  for (uint64_t first = 0; first < n; first += SYMBOLS_AT_ONCE)
    {
      size_t count = n - first < SYMBOLS_AT_ONCE ? (size_t) (n - first) : SYMBOLS_AT_ONCE;

      if (!read_at (fd, table->sh_offset + first * sizeof *symbols, symbols,
                    count * sizeof *symbols))
        return false;
      for (size_t i = 0; i < count; i++)
        if (ELF64_ST_TYPE (symbols[i].st_info) == STT_FUNC && symbols[i].st_shndx != SHN_UNDEF
            && address - symbols[i].st_value < symbols[i].st_size
            && (!any || symbols[i].st_size < found->st_size))
          {
            *found = symbols[i];
            any = true;
          }
    }
  return any;
}

static bool
find_in_file (int fd, const Elf64_Ehdr *head, uint64_t address, char *name)
{
  unsigned int n = head->e_shnum < MAX_SECTIONS ? head->e_shnum : MAX_SECTIONS;
  Elf64_Shdr table, strings;
  Elf64_Sym symbol = { 0 };

  for (unsigned int i = 0; i < n; i++)
    {
      ssize_t length;

      if (!read_at (fd, head->e_shoff + i * sizeof table, &table, sizeof table))
        return false;
      if (table.sh_type != SHT_SYMTAB || table.sh_entsize != sizeof symbol || table.sh_link >= n)
        continue;
      if (!read_at (fd, head->e_shoff + table.sh_link * sizeof strings, &strings, sizeof strings)
          || !find_in_table (fd, &table, address, &symbol) || symbol.st_name >= strings.sh_size
          || strings.sh_offset > INT64_MAX / 2)
        return false;
      length = pread (fd, name, NAME_ROOM - 1, (off_t) (strings.sh_offset + symbol.st_name));
      if (length <= 0)
        return false;
      name[length] = '\0';
      return *name != '\0';
    }
  return false;
}

/* The name of the function that ADDRESS lies in; false if its file does not tell. */
static bool
find_name (const void *address, const Dl_info *info, char *name)
{
  const char *path = info->dli_fname;
  const Elf64_Sym *symbol = NULL;
  struct link_map *map = NULL;
  bool is_found;
  Elf64_Ehdr head;
  Dl_info again;
  int fd;

  if (dladdr1 (address, &again, (void **) &symbol, RTLD_DL_SYMENT) != 0 && symbol != NULL
      && again.dli_sname != NULL
      && (uintptr_t) address - (uintptr_t) again.dli_saddr < symbol->st_size)
    return snprintf (name, NAME_ROOM, "%s", again.dli_sname) > 0;
  if (dladdr1 (address, &again, (void **) &map, RTLD_DL_LINKMAP) == 0 || map == NULL)
    return false;
  if (map->l_name == NULL || *map->l_name == '\0')
    path = "/proc/self/exe";
  fd = open_file (path);
  if (fd < 0)
    return false;
  is_found = read_at (fd, 0, &head, sizeof head) && is_loaded (fd, &head, info->dli_fbase)
             && find_in_file (fd, &head, (uintptr_t) address - map->l_addr, name);
  close (fd);
  return is_found;
}
#else
static bool
find_name (const void *address, const Dl_info *info, char *name)
{
  if (info->dli_sname == NULL || info->dli_saddr != address)
    return false;
  return snprintf (name, NAME_ROOM, "%s", info->dli_sname) > 0;
}
#endif

/* As a person writes it, where the program has what knows how. NAME stays where it does not. */
static void
demangle (const char *linkage, char *name)
{
  typedef char *(*Demangle) (const char *mangled, char *buffer, size_t *length, int *status);
  Demangle function;
  char *readable;
  int status;

  snprintf (name, NAME_ROOM, "%s", linkage);
  if (strncmp (linkage, "_Z", 2) != 0)
    return;
  *(void **) &function = dlsym (RTLD_DEFAULT, "__cxa_demangle");
  readable = function != NULL ? function (linkage, NULL, NULL, &status) : NULL;
  if (readable != NULL)
    snprintf (name, NAME_ROOM, "%s", readable);
  free (readable);
}

static const char *
last_part (const char *path)
{
  const char *slash = path != NULL ? strrchr (path, '/') : NULL;

  return slash != NULL ? slash + 1 : path;
}

/* RESERVED of a routine tells whether its code was told already. */
static void
tell_code (WeftTargetRoutine *routine, const char *linkage)
{
  const WeftTargetTag tag = { .key = WEFT_TARGET_TAG_CODE, .type = WEFT_TARGET_VALUE_STRING,
                              .value.string = linkage };

  if (__atomic_exchange_n (&routine->reserved, 1u, __ATOMIC_RELAXED) == 0)
    weft_target_tag (WEFT_TARGET_OWNER_ROUTINE, weft_target_routine_get_id (routine), &tag);
}

WeftTargetRoutine *
weft_target_routine_for_code (const void *address)
{
  return weft_target_routine_for_code_full (address, NULL);
}

WeftTargetRoutine *
weft_target_routine_for_code_full (const void *address, const char *flavour)
{
  WeftTargetRoutineInfo info = { .flavour = flavour };
  const char *module;
  WeftTargetRoutine *routine;
  char linkage[NAME_ROOM], name[NAME_ROOM];
  bool is_named = false;
  Dl_info file;
  WFT_KEEP_ERRNO;

  if (dladdr (address, &file) == 0 || file.dli_fname == NULL)
    snprintf (name, sizeof name, "0x%lx", (unsigned long) (uintptr_t) address);
  else
    {
      module = last_part (file.dli_fname);
      if (flavour == NULL)
        info.flavour = module;
      is_named = find_name (address, &file, linkage);
      if (is_named)
        demangle (linkage, name);
      else
        snprintf (name, sizeof name, "%.200s+0x%lx", module,
                  (unsigned long) ((uintptr_t) address - (uintptr_t) file.dli_fbase));
    }
  info.name = name;
  routine = weft_target_routine_new_full (&info, sizeof info);
  if (is_named)
    tell_code (routine, linkage);
  return routine;
}
