/* Entry, vectors and the code under test of the debug guest: one CPU at EL1, MMU off. Runs on our machine and on QEMU's
   virt machine, whose address map is the same. */
    .text
    .globl _start
_start:
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    adrp x0, stack_end
    add sp, x0, :lo12:stack_end
    msr sp_el0, xzr
    mov x0, #3 << 20
    msr cpacr_el1, x0
    isb
    bl run
    .globl power_off
power_off:
    movz x0, #0x8400, lsl #16
    movk x0, #0x0008
    hvc #0
    b .

    .macro vector
    .balign 128
    sub sp, sp, #288
    stp x0, x1, [sp]
    stp x2, x3, [sp, #16]
    b save
    .endm

    .balign 2048
vectors:
    .rept 16
    vector
    .endr

save:
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    mrs x0, elr_el1
    stp x30, x0, [sp, #240]
    mrs x0, spsr_el1
    mrs x1, esr_el1
    stp x0, x1, [sp, #256]
    mov x0, sp
    bl trap
    ldp x0, x1, [sp, #256]
    msr spsr_el1, x0
    ldp x30, x0, [sp, #240]
    msr elr_el1, x0
    ldp x0, x1, [sp]
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldp x28, x29, [sp, #224]
    add sp, sp, #288
    eret

/* void at_el0(void (*code)(void *), void *argument): runs code at EL0 until its svc #0; the trap comes back here. */
    .globl at_el0
at_el0:
    stp x29, x30, [sp, #-16]!
    mov x2, x0
    mov x0, x1
    adr x30, leave
    msr elr_el1, x2
    mrs x2, mdscr_el1
    and x2, x2, #1
    lsl x2, x2, #21
    msr spsr_el1, x2
    eret
leave:
    svc #0
    .globl left
left:
    ldp x29, x30, [sp], #16
    ret

/* Code to step through: a branch, a call, exclusives, a store, an exception in the middle. */
    .globl stepped
stepped:
    mov x1, #3
1:  subs x1, x1, #1
    b.ne 1b
    mov x9, x30
    bl 2f
    ldxr x2, [x0]
    stxr w3, x2, [x0]
    ldaxp x2, x4, [x0]
    clrex
    ldar x2, [x0]
    str x1, [x0]
    svc #7
    .inst 0x00000000
    mrs x2, nzcv
    mov x30, x9
    ret
2:  add x5, x0, #8
    ret

/* The same to EL1 with its own debug exceptions: unmasks them, and masks them again. */
    .globl stepped_el1
stepped_el1:
    msr daifclr, #8
    nop
    add x1, x1, #1
    msr daifset, #8
    nop
    ret

/* Places for breakpoints. */
    .globl broken
broken:
    mov x1, #5
1:  nop
    sub x1, x1, #1
    cbnz x1, 1b
    nop
    ret

/* Accesses to watch: x0 is 16-byte aligned. */
    .globl watched
watched:
    ldrb w1, [x0, #3]
    ldr w1, [x0, #4]
    ldr x1, [x0]
    ldp x1, x2, [x0]
    ldr q0, [x0]
    strb w1, [x0, #3]
    str w1, [x0, #4]
    str x1, [x0]
    stp x1, x2, [x0]
    str q0, [x0]
    ldr x1, [x0, #16]
    str x1, [x0, #-8]
    ldar w1, [x0]
    stlr w1, [x0]
    ldr x1, [x0, #64]
    str x1, [x0, #8]!
    sub x0, x0, #8
    ldr x1, [x0], #8
    ret

/* Accesses with EL0's rights. */
    .globl unprivileged
unprivileged:
    ldtr w1, [x0]
    ldr w1, [x0]
    sttr w1, [x0]
    str w1, [x0]
    ret
