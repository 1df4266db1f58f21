// The guest that calls the hypervisor as a table says. A vCPU starts at the first byte with the address of its
// parameter block in x0. For each row it loads x0..x7 as the row says and x8..x30 and sp with values of its own,
// executes one instruction, and compares every register with what the row and the calling convention promise. It writes
// the verdict and what it got into the row. MMU and caches are on: the first gigabyte is devices, the second memory, the
// rest unmapped.
//
// The instruction of a row is one of a table of pairs "instruction; ret": hvc #0x6000..#0x61ff, then hvc #0, smc #0,
// loads and stores. An exception in one of them is a result, too: x0 the syndrome, x2 the fault address, x3 ABORTED.

        .arch   armv8-a

        // parameter block
        .equ    ROW, 0x00               // the next row
        .equ    SLOTS, 0x08             // variables of the table, 64 bits each
        .equ    DONE, 0x10              // 1 at the end, 2 after an exception outside of a row's instruction
        .equ    FAILED, 0x18            // rows that failed
        .equ    COUNT, 0x20             // rows executed
        .equ    TRIES, 0x28
        .equ    BEFORE, 0x100           // x0..x30, sp
        .equ    AFTER, 0x200

        // a row
        .equ    STUB, 0x00              // index of its instruction; -1 ends the table
        .equ    NATIVE, 0x04            // 1: the native convention, 0: everything but results is kept
        .equ    IN_SLOTS, 0x08          // bit i: the input is the variable of that number
        .equ    EXPECT_SLOTS, 0x0c
        .equ    SAVES, 0x10             // 4 x 16 bits: number of the variable, plus 1, that receives x1..x4
        .equ    ATTEMPTS, 0x18          // how often it may be tried until it is as expected
        .equ    IN, 0x20                // x0..x7
        .equ    EXPECT, 0x60
        .equ    MASK, 0xa0              // which bits must be as expected
        .equ    STATUS, 0xe0            // 1 passed, 2 failed; bits 15:8 the first register that is wrong
        .equ    GOT, 0xe8
        .equ    ROW_BYTES, 0x140

        .equ    ABORTED, 0xab

        .text
start:  mov     x19, x0
        adr     x1, tables
        msr     ttbr0_el1, x1
        ldr     x1, =0xff00             // attribute 0 device nGnRnE, 1 write-back
        msr     mair_el1, x1
        ldr     x1, =(32 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32)
        msr     tcr_el1, x1
        isb
        tlbi    vmalle1
        dsb     ish
        isb
        mrs     x1, sctlr_el1
        mov     x2, #(1 | 1 << 2 | 1 << 12)
        orr     x1, x1, x2
        msr     sctlr_el1, x1
        isb
        adr     x1, vectors
        msr     vbar_el1, x1
        msr     tpidr_el1, x19

row:    mrs     x19, tpidr_el1
        ldr     x20, [x19, #ROW]
        ldr     w21, [x20, #STUB]
        cmn     w21, #1
        b.eq    finish
        ldr     x22, [x20, #ATTEMPTS]
        str     x22, [x19, #TRIES]
again:  ldr     x23, [x19, #SLOTS]
        ldr     w24, [x20, #IN_SLOTS]
        add     x26, x20, #IN
        add     x29, x19, #BEFORE
        mov     x25, #0
1:      ldr     x27, [x26, x25, lsl #3]
        lsr     w28, w24, w25
        tbz     w28, #0, 2f
        ldr     x27, [x23, x27, lsl #3]
2:      str     x27, [x29, x25, lsl #3]
        add     x25, x25, #1
        cmp     x25, #8
        b.lo    1b
        ldr     x27, =0x5a00a5005a00a500
        ldr     x28, =0x0101010101010101
3:      add     x27, x27, x28
        str     x27, [x29, x25, lsl #3]
        add     x25, x25, #1
        cmp     x25, #32
        b.lo    3b
        and     x27, x27, #~15
        str     x27, [x29, #8 * 31]
        mov     sp, x27
        adrp    x26, stubs
        add     x26, x26, :lo12:stubs
        add     x26, x26, x21, lsl #3
        str     x26, [x29, #8 * 8]
        adr     x26, back
        str     x26, [x29, #8 * 30]
        mov     x0, x29
        .irp    n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
        ldr     x\n, [x0, #8 * \n]
        .endr
        ldr     x30, [x0, #8 * 30]
        ldr     x1, [x0, #8]
        ldr     x0, [x0]
        blr     x8
back:   msr     tpidr_el0, x0
        mrs     x0, tpidr_el1
        add     x0, x0, #AFTER
        .irp    n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
        str     x\n, [x0, #8 * \n]
        .endr
        mrs     x1, tpidr_el0
        str     x1, [x0]
        mov     x1, sp
        str     x1, [x0, #8 * 31]

        mrs     x19, tpidr_el1
        ldr     x20, [x19, #ROW]
        ldr     w21, [x20, #STUB]
        ldr     x23, [x19, #SLOTS]
        ldr     w24, [x20, #EXPECT_SLOTS]
        add     x1, x19, #BEFORE
        add     x2, x19, #AFTER
        add     x26, x20, #EXPECT
        add     x29, x20, #MASK
        mov     x25, #0
4:      ldr     x27, [x26, x25, lsl #3]
        lsr     w28, w24, w25
        tbz     w28, #0, 5f
        ldr     x27, [x23, x27, lsl #3]
5:      ldr     x3, [x2, x25, lsl #3]
        ldr     x4, [x29, x25, lsl #3]
        eor     x27, x27, x3
        tst     x27, x4
        b.ne    differs
        add     x25, x25, #1
        cmp     x25, #8
        b.lo    4b
        ldr     w5, [x20, #NATIVE]
        ldr     x6, [x1, #8 * 8]
6:      ldr     x27, [x1, x25, lsl #3]
        cbz     w5, 7f
        sub     x4, x25, #9
        cmp     x4, #8                  // x9 is the return address, x10..x17 are zero
        b.hi    7f
        mov     x27, #0
        cbnz    x4, 7f
        add     x27, x6, #4
7:      ldr     x3, [x2, x25, lsl #3]
        cmp     x3, x27
        b.ne    differs
        add     x25, x25, #1
        cmp     x25, #32
        b.lo    6b

        mov     x0, #1
        ldr     x4, [x20, #SAVES]
        mov     x25, #1
8:      ands    x5, x4, #0xffff
        b.eq    9f
        sub     x5, x5, #1
        ldr     x3, [x2, x25, lsl #3]
        str     x3, [x23, x5, lsl #3]
9:      lsr     x4, x4, #16
        add     x25, x25, #1
        cmp     x25, #5
        b.lo    8b
        b       verdict

differs:
        ldr     x22, [x19, #TRIES]
        subs    x22, x22, #1
        str     x22, [x19, #TRIES]
        b.gt    again
        lsl     x0, x25, #8
        orr     x0, x0, #2
        ldr     x3, [x19, #FAILED]
        add     x3, x3, #1
        str     x3, [x19, #FAILED]
verdict:
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        ldr     x3, [x2, #8 * \n]
        str     x3, [x20, #GOT + 8 * \n]
        .endr
        str     x0, [x20, #STATUS]
        ldr     x3, [x19, #COUNT]
        add     x3, x3, #1
        str     x3, [x19, #COUNT]
        add     x20, x20, #ROW_BYTES
        str     x20, [x19, #ROW]
        b       row

finish: mov     x0, #1
stop:   dmb     ish
        str     x0, [x19, #DONE]
1:      wfi
        b       1b

        // An exception in a row's instruction: skipped, and shown in x0, x2, x3.
caught: mrs     x2, elr_el1
        adrp    x3, stubs
        add     x3, x3, :lo12:stubs
        sub     x2, x2, x3
        lsr     x2, x2, #3
        cmp     x2, #(0x200 + 8)
        b.hs    broken
        mrs     x2, elr_el1
        add     x2, x2, #4
        msr     elr_el1, x2
        mrs     x0, esr_el1
        mrs     x2, far_el1
        mov     x3, #ABORTED
        eret
broken: mrs     x19, tpidr_el1
        mrs     x0, esr_el1
        str     x0, [x19, #AFTER]
        mrs     x0, elr_el1
        str     x0, [x19, #AFTER + 8]
        mov     x0, #2
        b       stop

        .balign 2048
vectors:
        .rept   4
        .balign 128
        b       broken
        .endr
        .balign 128
        b       caught
        .rept   11
        .balign 128
        b       broken
        .endr
        .balign 128

        .ltorg
        .balign 64
tables: .quad   0x00000000 | 1 << 54 | 1 << 53 | 1 << 10 | 0 << 2 | 1
        .quad   0x40000000 | 1 << 10 | 3 << 8 | 1 << 2 | 1
        .quad   0, 0

        .balign 4096
stubs:  .set    n, 0
        .rept   0x200
        hvc     #(0x6000 + n)
        ret
        .set    n, n + 1
        .endr
        hvc     #0                      // 0x200
        ret
        smc     #0                      // 0x201
        ret
        ldr     w0, [x1]                // 0x202
        ret
        ldr     x0, [x1]                // 0x203
        ret
        str     w0, [x1]                // 0x204
        ret
        str     x0, [x1]                // 0x205
        ret
        hvc     #0x5fff                 // 0x206: a number of nobody
        ret
        smc     #0x6000                 // 0x207: as this
        ret
