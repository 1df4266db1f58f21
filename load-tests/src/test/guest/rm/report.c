/* The report goes to the PL011 (Arm DDI 0183) as text; its last line is the verdict. */
#include "client.h"

#define UART_DR 0x0
#define UART_FR 0x18
#define UART_FULL 0x20

static u64 uart;

void report_to(u64 device)
{
    uart = device;
}

static void put(char c)
{
    if (c == '\n') {
        put('\r');
    }
    while (read32(uart + UART_FR) & UART_FULL) {
    }
    write32(uart + UART_DR, (u8) c);
}

void say(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

void say_number(u64 value)
{
    say("0x");
    for (int shift = 60; shift >= 0; shift -= 4) {
        if (value >> shift || !shift) {
            put("0123456789abcdef"[value >> shift & 15]);
        }
    }
}

void finish(const char *verdict)
{
    say(verdict);
    say("\n");
    power_off();
}

void fail(const char *what, u64 value)
{
    say(what);
    say(": ");
    say_number(value);
    finish("\nFAILED");
}

void check(int condition, const char *what, u64 value)
{
    if (!condition) {
        fail(what, value);
    }
}

void fault(u64 esr, u64 elr, u64 far)
{
    say("exception at ");
    say_number(elr);
    say(", ESR ");
    say_number(esr);
    fail(", FAR", far);
}
