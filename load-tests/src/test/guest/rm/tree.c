/* Finds the Resource Manager and the UART by their compatible strings (Devicetree Specification 0.4). */
#include "client.h"

#define MAGIC 0xd00dfeed
#define BEGIN_NODE 1
#define END_NODE 2
#define PROP 3
#define NOP 4

static u32 be32(u64 at)
{
    return __builtin_bswap32(read32(at));
}

static u64 be64(u64 at)
{
    return (u64) be32(at) << 32 | be32(at + 4);
}

static int same(u64 text, const char *other)
{
    const char *s = (const char *) text;
    while (*s && *s == *other) {
        s++;
        other++;
    }
    return *s == *other;
}

static int lists(u64 strings, u32 length, const char *wanted)
{
    for (u64 at = strings; at < strings + length; at++) {
        if (same(at, wanted)) {
            return 1;
        }
        while (*(const char *) at) {
            at++;
        }
    }
    return 0;
}

static u64 text_words(u64 text)
{
    u64 length = 0;
    while (((const char *) text)[length]) {
        length++;
    }
    return (length + 4) & ~3UL;
}

/* Properties come before children, so a node is complete at the first token that is neither. */
struct node { u64 reg, interrupts; u32 reg_size, interrupts_size; int manager, uart; };

static void take(const struct node *node, struct manager *manager)
{
    if (node->manager && node->reg_size == 16 && node->interrupts_size == 24) {
        manager->tx = be64(node->reg);
        manager->rx = be64(node->reg + 8);
        u32 extended = be32(node->interrupts + 12) == 2;
        manager->rx_intid = be32(node->interrupts + 16) + (extended ? 4096 : 32);
    } else if (node->uart) {
        manager->uart = be64(node->reg);
    }
}

void find_manager(u64 tree, struct manager *manager)
{
    if (!tree || tree & 7 || be32(tree) != MAGIC) {
        power_off();
    }
    u64 at = tree + be32(tree + 8);
    u64 strings = tree + be32(tree + 12);
    u64 end = at + be32(tree + 36);
    struct node node = {0};
    while (at < end) {
        u32 token = be32(at);
        at += 4;
        if (token == BEGIN_NODE || token == END_NODE) {
            take(&node, manager);
            node = (struct node) {0};
            at += token == BEGIN_NODE ? text_words(at) : 0;
        } else if (token == PROP) {
            u32 length = be32(at);
            u64 name = strings + be32(at + 4);
            u64 value = at + 8;
            if (same(name, "reg")) {
                node.reg = value;
                node.reg_size = length;
            } else if (same(name, "interrupts")) {
                node.interrupts = value;
                node.interrupts_size = length;
            } else if (same(name, "compatible")) {
                node.manager = lists(value, length, "gunyah-resource-manager");
                node.uart = lists(value, length, "arm,pl011");
            }
            at = value + ((length + 3) & ~3UL);
        } else if (token != NOP) {
            break;
        }
    }
    report_to(manager->uart);
    check(manager->tx != 0, "no Resource Manager in the device tree", tree);
}
