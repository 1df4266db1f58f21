// Executes single instructions at EL1 and reports the whole state after each; runs on any AArch64 machine with RAM at
// 0x40000000 and semihosting. InstructionOracle.java describes input, layout and result.

        .arch   armv8.5-a
        .altmacro
        .macro  vload number
        ldr     q\number, [x30, #VECTORS_V + 16 * \number]
        .set    n, n + 1
        .endm
        .macro  vstore number
        str     q\number, [x30, #VECTORS_V + 16 * \number]
        .set    n, n + 1
        .endm
        .macro  xload number
        ldr     x\number, [x30, #8 * \number]
        .set    n, n + 1
        .endm
        .macro  xstore number
        str     x\number, [x30, #8 * \number]
        .set    n, n + 1
        .endm
        .equ    INPUT, 0x48000000
        .equ    MEMORY, 0x5C0FFF00
        .equ    STATE_BYTES, 0x340
        .equ    RESULT_BYTES, 0x540
        .equ    BATCH, 256
        .equ    NZCV, 0x100
        .equ    FPCR, 0x108
        .equ    FPSR, 0x110
        .equ    ESR, 0x118
        .equ    VECTORS_V, 0x140
        .equ    BUFFER, 0x340

        .text
        .globl  _start
_start:
        ldr     x0, =INPUT
        // stage 1: one table for 1 GiB at 0x40000000, 39-bit addresses
        adrp    x1, level2
        add     x1, x1, :lo12:level2
        mov     x2, #0x40000000
        ldr     x3, =0x701              // normal, EL1 only, inner shareable, accessed
        mov     x4, #0
1:      add     x5, x2, x4, lsl #21
        orr     x5, x5, x3
        str     x5, [x1, x4, lsl #3]
        add     x4, x4, #1
        cmp     x4, #512
        b.ne    1b
        // 0x5C000000: EL0 too; 0x5C200000: EL0 too, read-only; 0x5C400000: nothing
        ldr     x5, =0x5C000741
        str     x5, [x1, #0x700]
        ldr     x5, =0x5C2007C1
        str     x5, [x1, #0x708]
        str     xzr, [x1, #0x710]
        adrp    x2, level1
        add     x2, x2, :lo12:level1
        orr     x3, x1, #3
        str     x3, [x2, #8]
        dsb     sy
        msr     ttbr0_el1, x2
        ldr     x3, =0xFF
        msr     mair_el1, x3
        ldr     x3, [x0, #0x28]
        msr     tcr_el1, x3
        adr     x3, vectors
        msr     vbar_el1, x3
        mov     x3, #3 << 20
        msr     cpacr_el1, x3
        msr     mdscr_el1, xzr
        ldp     x3, x4, [x0, #0x40]     // keys IA, IB, DA, DB, GA
        msr     S3_0_C2_C1_0, x3
        msr     S3_0_C2_C1_1, x4
        ldp     x3, x4, [x0, #0x50]
        msr     S3_0_C2_C1_2, x3
        msr     S3_0_C2_C1_3, x4
        ldp     x3, x4, [x0, #0x60]
        msr     S3_0_C2_C2_0, x3
        msr     S3_0_C2_C2_1, x4
        ldp     x3, x4, [x0, #0x70]
        msr     S3_0_C2_C2_2, x3
        msr     S3_0_C2_C2_3, x4
        ldp     x3, x4, [x0, #0x80]
        msr     S3_0_C2_C3_0, x3
        msr     S3_0_C2_C3_1, x4
        isb
        tlbi    vmalle1
        dsb     sy
        ldr     x3, [x0, #0x20]
        msr     sctlr_el1, x3
        isb

        // every case's block: load x29 and x30, the instruction, jump to normal
        ldr     x1, [x0]
        ldr     x2, [x0, #0x18]
        add     x2, x2, x0
        adr     x3, normal
        adr     x9, head
        ldr     w9, [x9]
2:      ldr     w4, [x2]
        ldr     x5, [x2, #8]
        stp     w9, w4, [x5]
        add     x6, x5, #8
        sub     x6, x3, x6
        ubfx    x6, x6, #2, #26
        mov     w7, #0x14000000
        orr     w7, w7, w6
        str     w7, [x5, #8]
        add     x2, x2, #64
        subs    x1, x1, #1
        b.ne    2b
        dsb     sy
        ic      iallu
        dsb     sy
        isb

        // x28 case, x27 cases left, x26 result, x25 results left in the batch
        ldr     x27, [x0]
        ldr     x28, [x0, #0x18]
        add     x28, x28, x0
new_batch:
        adrp    x26, results
        add     x26, x26, :lo12:results
        mov     x25, #BATCH
next:
        ldr     x0, =INPUT
        ldr     w1, [x28, #4]
        mov     x2, #STATE_BYTES
        ldr     x3, [x0, #8]
        add     x3, x3, x0
        madd    x3, x1, x2, x3
        adrp    x4, work
        add     x4, x4, :lo12:work
        mov     x5, x4
3:      ldp     q0, q1, [x3], #32
        stp     q0, q1, [x5], #32
        subs    x2, x2, #32
        b.ne    3b
        mov     x1, #3
        add     x2, x28, #16
4:      ldp     x5, x6, [x2], #16
        str     x6, [x4, x5, lsl #3]
        subs    x1, x1, #1
        b.ne    4b
        ldr     x1, [x0, #0x10]
        add     x1, x1, x0
        ldr     x2, =MEMORY
        mov     x3, #512
5:      ldp     q0, q1, [x1], #32
        stp     q0, q1, [x2], #32
        subs    x3, x3, #32
        b.ne    5b
        adrp    x1, saved
        add     x1, x1, :lo12:saved
        stp     x25, x26, [x1]
        stp     x27, x28, [x1, #16]
        clrex
        ldr     x29, [x28, #8]
        mov     x30, x4
        ldr     x0, [x30, #NZCV]
        msr     nzcv, x0
        ldr     x0, [x30, #FPCR]
        msr     fpcr, x0
        ldr     x0, [x30, #FPSR]
        msr     fpsr, x0
        ldr     x0, [x30, #0xF8]
        mov     sp, x0
        .set    n, 0
        .rept   32
        vload   %n
        .endr
        .set    n, 0
        .rept   28
        xload   %n
        .endr
        ldr     x28, [x30, #0xE0]
        br      x29

head:   ldp     x29, x30, [x30, #0xE8]

        .org    0x800
normal:
        msr     tpidr_el1, x30
        adrp    x30, saved
        ldr     x30, [x30, :lo12:saved + 8]
        str     xzr, [x30, #ESR]
        str     xzr, [x30, #ESR + 8]
        stp     xzr, xzr, [x30, #ESR + 16]
        b       save

exception:
        adrp    x30, saved
        ldr     x30, [x30, :lo12:saved + 8]
        stp     x0, x1, [x30]
        mrs     x0, esr_el1
        mrs     x1, far_el1
        str     x0, [x30, #ESR]
        str     x1, [x30, #ESR + 8]
        mrs     x0, elr_el1
        mrs     x1, spsr_el1
        stp     x0, x1, [x30, #ESR + 16]
        ldp     x0, x1, [x30]

save:
        .set    n, 0
        .rept   30
        xstore  %n
        .endr
        mrs     x0, tpidr_el1
        mov     x1, sp
        stp     x0, x1, [x30, #0xF0]
        mrs     x0, nzcv
        mrs     x1, fpcr
        mrs     x2, fpsr
        stp     x0, x1, [x30, #NZCV]
        str     x2, [x30, #FPSR]
        .set    n, 0
        .rept   32
        vstore  %n
        .endr
        ldr     x0, =MEMORY
        add     x1, x30, #BUFFER
        mov     x2, #512
6:      ldp     q0, q1, [x0], #32
        stp     q0, q1, [x1], #32
        subs    x2, x2, #32
        b.ne    6b
        adrp    x0, saved
        add     x0, x0, :lo12:saved
        ldp     x25, x26, [x0]
        ldp     x27, x28, [x0, #16]
        add     x26, x26, #RESULT_BYTES
        add     x28, x28, #64
        sub     x25, x25, #1
        subs    x27, x27, #1
        b.eq    finish
        cbnz    x25, next
        adr     x20, new_batch
        b       write
finish: adr     x20, leave

// writes what the batch holds to standard output and goes on at x20
write:
        ldr     x0, handle
        cmp     x0, #0
        b.ge    7f
        adr     x1, open_block
        mov     w0, #1
        hlt     #0xF000
        adr     x1, handle
        str     x0, [x1]
7:      adrp    x2, results
        add     x2, x2, :lo12:results
        sub     x3, x26, x2
        adr     x1, write_block
        stp     x0, x2, [x1]
        str     x3, [x1, #16]
        mov     w0, #5
        hlt     #0xF000
        br      x20

leave:
        adr     x1, exit_block
        mov     w0, #0x18
        hlt     #0xF000
        b       .

        .balign 8
handle: .quad   -1
open_block:
        .quad   tty, 4, 3
write_block:
        .quad   0, 0, 0
exit_block:
        .quad   0x20026, 0
tty:    .asciz  ":tt"
        .ltorg

        .balign 2048
vectors:
        .rept   16
        .balign 128
        msr     tpidr_el1, x30
        b       exception
        .endr

        .bss
        .balign 4096
level1: .skip   4096
level2: .skip   4096
work:   .skip   STATE_BYTES
        .balign 64
saved:  .skip   64
results:
        .skip   RESULT_BYTES * BATCH
