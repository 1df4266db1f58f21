// What the bare-metal tests share: output, the last exception, probes.
#pragma once

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

struct trap {
    u64 count;
    u64 vector;
    u64 esr;
    u64 far;
    u64 elr;
    u64 spsr;
};

extern volatile struct trap trap;
/* Software steps: how many more there are to be, how many were, and what the first of them reported. */
extern volatile u64 steps_left, steps;
extern volatile struct trap trail[32];
/* Where the next exception returns to; 0: behind the instruction. */
extern volatile u64 resume;
/* The next exception's handler raises one itself, this often. */
extern volatile u64 nested;
extern char vectors[], stub[];

void say(const char *format, ...);
u64 at_el0(u64 pc, u64 x0, u64 x1, u64 spsr);
/* Says what the exceptions since the last call were: "ok" or class, syndrome and address. */
void outcome(const char *what);
/* As outcome, the syndrome only. */
void brief(const char *what);
/* Forgets the exceptions so far. */
void told_all(void);
void run(void);

#define READ(name) ({ u64 v_; asm volatile("mrs %0, " name : "=r"(v_) :: "memory"); v_; })
#define WRITE(name, value) asm volatile("msr " name ", %0\n\tisb" :: "r"((u64)(value)) : "memory")
#define RAW(...) asm volatile(__VA_ARGS__ ::: "memory", "cc", "x0", "x1", "x2", "x3", "x4", "x5", "x30")

static inline u64 load8(u64 at)
{
    u64 value = 0xee;
    asm volatile("ldrb %w0, [%1]" : "+r"(value) : "r"(at) : "memory");
    return value;
}

static inline void store8(u64 at, u64 value)
{
    asm volatile("strb %w0, [%1]" :: "r"(value), "r"(at) : "memory");
}

static inline void call(u64 at)
{
    asm volatile("blr %0" :: "r"(at) : "memory", "x30");
}
