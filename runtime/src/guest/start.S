/*
 * Image header, entry of the first and of the other vCPUs, exception vectors.
 * Boot protocol: Linux Documentation/arch/arm64/booting.rst; entered at EL1h with the MMU off, x0 = DTB.
 */
#include "layout.h"

    .section .head, "ax"
    .global image_start
image_start:
    b       first_entry
    .word   0
    .quad   0                       // text_offset
    .quad   image_end - image_start // image_size, BSS included
    .quad   0xa                     // little endian, 4 KiB pages, anywhere in RAM
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

    .text
first_entry:
    mov     x20, x0
    adrp    x0, bss_start
    add     x0, x0, :lo12:bss_start
    adrp    x1, image_end
    add     x1, x1, :lo12:image_end
1:  cmp     x0, x1
    b.hs    2f
    str     xzr, [x0], #8
    b       1b
2:  mov     x0, #0
    bl      set_up_cpu
    mov     x0, x20
    bl      first_main
    b       .

    // PSCI CPU_ON enters here: x0 = index of the vCPU.
    .global secondary_entry
secondary_entry:
    mov     x20, x0
    bl      set_up_cpu
    mov     x0, x20
    bl      secondary_main
    b       .

    // x0 = index: stack, vectors, FP off for EL1 is fine (general registers only).
set_up_cpu:
    adrp    x1, stacks
    add     x1, x1, :lo12:stacks
    add     x2, x0, #1
    mov     x3, #STACK_SIZE
    madd    x1, x2, x3, x1
    mov     sp, x1
    msr     tpidr_el1, x0
    adrp    x1, vectors
    add     x1, x1, :lo12:vectors
    msr     vbar_el1, x1
    isb
    ret

    // void enable_mmu(u64 table, u64 tcr, u64 mair)
    .global enable_mmu
enable_mmu:
    msr     mair_el1, x2
    msr     tcr_el1, x1
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    dsb     ish
    ic      iallu
    isb
    mrs     x3, sctlr_el1
    mov     x4, #0x1005             // I, C, M
    orr     x3, x3, x4
    bic     x3, x3, #(1 << 19)      // WXN off
    msr     sctlr_el1, x3
    isb
    ret

    // u64 smccc(u64 regs[8]): HVC #0 with x0..x7 from and to memory.
    .global smccc
smccc:
    stp     x29, x30, [sp, #-32]!
    str     x0, [sp, #16]
    mov     x9, x0
    ldp     x0, x1, [x9]
    ldp     x2, x3, [x9, #16]
    ldp     x4, x5, [x9, #32]
    ldp     x6, x7, [x9, #48]
    hvc     #0
    ldr     x9, [sp, #16]
    stp     x0, x1, [x9]
    stp     x2, x3, [x9, #16]
    stp     x4, x5, [x9, #32]
    stp     x6, x7, [x9, #48]
    ldp     x29, x30, [sp], #32
    ret

    // u64 count_loop(u64 iterations): eight instructions each.
    .global count_loop
count_loop:
    mov     x1, #1
    mov     x2, #0
1:  add     x1, x1, x0
    eor     x2, x2, x1, lsl #7
    lsr     x3, x2, #9
    madd    x1, x3, x2, x1
    and     x4, x1, #0xff
    add     x2, x2, x4
    subs    x0, x0, #1
    b.ne    1b
    mov     x0, x2
    ret

    .macro save
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x0, elr_el1
    stp     x30, x0, [sp, #240]
    mrs     x0, spsr_el1
    str     x0, [sp, #256]
    mov     x0, sp
    .endm

    .macro handler name
    b       \name
    .balign 0x80
    .endm

    .balign 0x800
vectors:
    handler unexpected_0
    handler unexpected_1
    handler unexpected_2
    handler unexpected_3
    handler on_sync
    handler on_irq
    handler unexpected_6
    handler unexpected_7
    handler unexpected_8
    handler unexpected_9
    handler unexpected_10
    handler unexpected_11
    handler unexpected_12
    handler unexpected_13
    handler unexpected_14
    handler unexpected_15

on_sync:
    save
    bl      sync_exception
    b       restore

on_irq:
    save
    bl      irq_exception
restore:
    ldr     x0, [sp, #256]
    msr     spsr_el1, x0
    ldp     x30, x0, [sp, #240]
    msr     elr_el1, x0
    ldp     x28, x29, [sp, #224]
    ldp     x26, x27, [sp, #208]
    ldp     x24, x25, [sp, #192]
    ldp     x22, x23, [sp, #176]
    ldp     x20, x21, [sp, #160]
    ldp     x18, x19, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp]
    add     sp, sp, #FRAME_SIZE
    eret

    .irp n, 0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
unexpected_\n:
    save
    mov     x1, #\n
    bl      unexpected_exception
    .endr

    .bss
    .balign 16
stacks:
    .skip   STACK_SIZE * MAX_CPUS
