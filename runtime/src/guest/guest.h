/* The built-in guest: one small program that uses what a VM of this system offers and reports what it measured. */
#pragma once
#include "layout.h"

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

/* Everything is in one image: addresses come from adrp, never from a table that would need relocation. */
#pragma GCC visibility push(hidden)

#define MIB (1024UL * 1024)
#define PAGE 4096UL

#define READ_SYSREG(name) ({ u64 v_; __asm__ volatile("mrs %0, " #name : "=r"(v_) :: "memory"); v_; })
#define WRITE_SYSREG(name, value) __asm__ volatile("msr " #name ", %0" :: "r"((u64) (value)) : "memory")
#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb() __asm__ volatile("dsb sy" ::: "memory")
#define wfi() __asm__ volatile("wfi" ::: "memory")
#define wfe() __asm__ volatile("wfe" ::: "memory")
#define sev() __asm__ volatile("dsb ish\n\tsev" ::: "memory")
#define mask_irqs() __asm__ volatile("msr daifset, #2" ::: "memory")
#define unmask_irqs() __asm__ volatile("msr daifclr, #2" ::: "memory")

static inline u32 read32(u64 address) { return *(volatile u32 *) address; }
static inline u64 read64(u64 address) { return *(volatile u64 *) address; }
static inline void write32(u64 address, u32 value) { *(volatile u32 *) address = value; }
static inline u64 load_acquire(u64 *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void store_release(u64 *p, u64 value) { __atomic_store_n(p, value, __ATOMIC_RELEASE); }

/* start.S */
struct frame { u64 x[31]; u64 elr; u64 spsr; };
extern u8 image_start[], text_end[], image_end[];
void secondary_entry(void);
void enable_mmu(u64 table, u64 tcr, u64 mair);
void smccc(u64 regs[8]);
u64 count_loop(u64 iterations);

/* console.c */
void uart_interrupts(void);
void uart_receive(void);
int uart_take(void);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* clock.c */
u64 now(void);
u64 nanoseconds(u64 ticks);
void timer_after_us(u64 microseconds);
void timer_interrupt(void);
void measure_timer(void);
void timer_keep_ticking(void);
u64 ticks_taken(void);

/* gic.c */
void gic_init_distributor(void);
void gic_init_cpu(void);
void gic_send_sgi(u64 cpu);

/* mmu.c */
void mmu_build(u64 ram_size);
void mmu_on(void);
void measure_paging(u64 ram_size, u64 dtb, u64 dtb_size);
void print_memory(u64 ram_size);

/* fdt.c */
struct machine { u64 ram_size; u64 dtb; u64 dtb_size; u32 cpu_count; };
int fdt_read(u64 dtb, struct machine *machine);

/* exceptions.c */
void identify_hypervisor(void);
int probe_smccc(u64 regs[8]);
void provoke_fault(void);
void power_off(void);
u64 cpu_on(u64 mpidr, u64 index);

/* messages.c */
void sgi_interrupt(void);
void measure_messages(u32 cpu_count);
void secondary_main(u64 index);
