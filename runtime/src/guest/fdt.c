/* What the device tree says of RAM and CPUs (Devicetree Specification 0.4, chapter 5). */
#include "guest.h"

#define MAGIC 0xd00dfeed
#define BEGIN_NODE 1
#define END_NODE 2
#define PROP 3
#define NOP 4

static u32 be32(u64 at)
{
    return __builtin_bswap32(read32(at));
}

static int starts_with(u64 text, const char *prefix)
{
    const char *s = (const char *) text;
    while (*prefix && *s == *prefix) {
        s++;
        prefix++;
    }
    return !*prefix;
}

static u64 text_words(u64 text)
{
    u64 length = 0;
    while (((const char *) text)[length]) {
        length++;
    }
    return (length + 4) & ~3UL;
}

/* Expects two address and two size cells at the root, as this system and QEMU write them. */
int fdt_read(u64 dtb, struct machine *machine)
{
    if (!dtb || dtb & 7 || be32(dtb) != MAGIC) {
        return 0;
    }
    machine->dtb = dtb;
    machine->dtb_size = be32(dtb + 4);
    u64 at = dtb + be32(dtb + 8);
    u64 strings = dtb + be32(dtb + 12);
    u64 end = at + be32(dtb + 36);
    int in_memory = 0;
    while (at < end) {
        u32 token = be32(at);
        at += 4;
        if (token == BEGIN_NODE) {
            in_memory = starts_with(at, "memory@");
            machine->cpu_count += starts_with(at, "cpu@");
            at += text_words(at);
        } else if (token == END_NODE) {
            in_memory = 0;
        } else if (token == PROP) {
            u32 length = be32(at);
            u64 name = strings + be32(at + 4);
            if (in_memory && length >= 16 && starts_with(name, "reg")) {
                machine->ram_size = (u64) be32(at + 16) << 32 | be32(at + 20);
            }
            at += 8 + ((length + 3) & ~3UL);
        } else if (token != NOP) {
            break;
        }
    }
    return machine->ram_size != 0 && machine->cpu_count != 0;
}
