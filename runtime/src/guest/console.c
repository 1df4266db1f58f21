/* PL011 (Arm DDI 0183): polled output, input by receive interrupt into a small ring. */
#include "guest.h"
#include <stdarg.h>

#define DR 0x00
#define FR 0x18
#define LCR_H 0x2c
#define CR 0x30
#define IMSC 0x38
#define ICR 0x44
#define FR_RXFE 0x10
#define FR_TXFF 0x20
#define INT_RX 0x10
#define INT_TIMEOUT 0x40

static u8 ring[256];
static u32 ring_head, ring_tail;

static void put(char c)
{
    while (read32(UART_BASE + FR) & FR_TXFF) {
    }
    write32(UART_BASE + DR, (u8) c);
}

void uart_interrupts(void)
{
    write32(UART_BASE + LCR_H, 0x70);
    write32(UART_BASE + CR, 0x301);
    write32(UART_BASE + IMSC, INT_RX | INT_TIMEOUT);
}

/* Called with interrupts masked. A full ring leaves bytes in the FIFO, with the line low until something is taken. */
void uart_receive(void)
{
    while (!(read32(UART_BASE + FR) & FR_RXFE)) {
        if (ring_head - ring_tail == sizeof ring) {
            write32(UART_BASE + IMSC, 0);
            return;
        }
        ring[ring_head++ % sizeof ring] = (u8) read32(UART_BASE + DR);
    }
    write32(UART_BASE + ICR, INT_RX | INT_TIMEOUT);
}

/* The next byte typed, or -1. Called with interrupts masked. */
int uart_take(void)
{
    if (ring_head == ring_tail) {
        return -1;
    }
    int c = ring[ring_tail++ % sizeof ring];
    write32(UART_BASE + IMSC, INT_RX | INT_TIMEOUT);
    return c;
}

static void put_number(u64 value, u32 base, u32 width, char fill)
{
    char digits[24];
    u32 count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count < width) {
        digits[count++] = fill;
    }
    while (count) {
        put(digits[--count]);
    }
}

/* %s %c %lu %lx %08lx %3lu: the forms this program uses; all numbers are 64 bits wide. */
void print(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    for (; *format; format++) {
        if (*format == '\n') {
            put('\r');
        }
        if (*format != '%') {
            put(*format);
            continue;
        }
        char fill = ' ';
        u32 width = 0;
        if (*++format == '0') {
            fill = '0';
        }
        while (*format >= '0' && *format <= '9') {
            width = width * 10 + (u32) (*format++ - '0');
        }
        if (*format == 'l') {
            format++;
        }
        if (*format == 's') {
            for (const char *s = va_arg(list, const char *); *s; s++) {
                put(*s);
            }
        } else if (*format == 'c') {
            put((char) va_arg(list, int));
        } else {
            put_number(va_arg(list, u64), *format == 'x' ? 16 : 10, width, fill);
        }
    }
    va_end(list);
}
