// Entry, exception vectors and the way to EL0 and back, for the bare-metal tests of the processor. Loaded at its link
// address with the MMU off; runs at EL1 on any machine with a PL011 at 0x09000000 and PSCI by HVC. Where it is started
// at EL2 it is the hypervisor itself: HVC is PSCI by SMC, or raises an SError.

        .section .text.start, "ax"
        .globl  _start
_start: mrs     x0, CurrentEL
        cmp     x0, #8
        b.ne    el1
        mov     x0, #1 << 31            // HCR_EL2.RW
        orr     x0, x0, #1 << 5         // and AMO: SErrors are virtual ones
        msr     hcr_el2, x0
        mov     x0, #0x33ff
        msr     cptr_el2, x0
        adr     x0, hyp_vectors
        msr     vbar_el2, x0
        mov     x0, #0x3c5
        msr     spsr_el2, x0
        adr     x0, el1
        msr     elr_el2, x0
        eret
el1:    adrp    x0, stack_top
        add     x0, x0, :lo12:stack_top
        msr     spsel, #1
        mov     sp, x0
        mov     x0, #3 << 20
        msr     cpacr_el1, x0
        adr     x0, vectors
        msr     vbar_el1, x0
        isb
        bl      run
        ldr     x0, =0x84000008         // SYSTEM_OFF
        hvc     #0
        b       .

        .text
        .balign 2048
hyp_vectors:
        .org    hyp_vectors + 0x400     // HVC with X0 0x53455252: makes an SError with the ISS in X1 pending
        movz    x2, #0x5345, lsl #16
        movk    x2, #0x5252
        cmp     x0, x2
        b.ne    1f
        msr     S3_4_C5_C2_3, x1        // VSESR_EL2
        mrs     x2, hcr_el2
        orr     x2, x2, #1 << 8         // VSE
        msr     hcr_el2, x2
        eret
1:      smc     #0
        eret

        .balign 2048
        .globl  vectors
vectors:
        .set    number, 0
        .rept   16
        .balign 128
        sub     sp, sp, #272
        stp     x0, x1, [sp]
        mov     x0, #number
        b       enter
        .set    number, number + 1
        .endr

enter:  stp     x2, x3, [sp, #16]
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
        mrs     x1, elr_el1
        stp     x30, x1, [sp, #240]
        mrs     x1, spsr_el1
        str     x1, [sp, #256]
        mov     x1, sp
        bl      handle
        cbnz    x0, back
        ldr     x1, [sp, #256]
        msr     spsr_el1, x1
        ldp     x30, x1, [sp, #240]
        msr     elr_el1, x1
        ldp     x2, x3, [sp, #16]
        ldp     x4, x5, [sp, #32]
        ldp     x6, x7, [sp, #48]
        ldp     x8, x9, [sp, #64]
        ldp     x10, x11, [sp, #80]
        ldp     x12, x13, [sp, #96]
        ldp     x14, x15, [sp, #112]
        ldp     x16, x17, [sp, #128]
        ldp     x18, x19, [sp, #144]
        ldp     x20, x21, [sp, #160]
        ldp     x22, x23, [sp, #176]
        ldp     x24, x25, [sp, #192]
        ldp     x26, x27, [sp, #208]
        ldp     x28, x29, [sp, #224]
        ldp     x0, x1, [sp]
        add     sp, sp, #272
        eret

// u64 at_el0(u64 pc, u64 x0, u64 x1, u64 spsr): runs there until SVC 0x7f or a fault of the fetch; returns X0 of then
        .globl  at_el0
at_el0: sub     sp, sp, #96
        stp     x19, x20, [sp]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        adrp    x9, context
        mov     x10, sp
        str     x10, [x9, :lo12:context]
        msr     elr_el1, x0
        msr     spsr_el1, x3
        mov     x0, x1
        mov     x1, x2
        eret

back:   ldr     x0, [sp]
        adrp    x9, context
        ldr     x10, [x9, :lo12:context]
        mov     sp, x10
        .inst   0xd500409f              // msr pan, #0
        ldp     x19, x20, [sp]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        add     sp, sp, #96
        ret

// Code that is copied to pages of tests: 64 bytes
        .globl  stub
stub:   ret                             // 0
        nop
        svc     #0x7f                   // 8
        nop
        ldrb    w0, [x0]                // 16
        svc     #0x7f
        strb    w1, [x0]                // 24
        svc     #0x7f
        ldr     x0, [x0]                // 32
        svc     #0x7f
        blr     x0                      // 40
        svc     #0x7f
        nop
        nop
        nop
        nop

        .bss
        .balign 16
context: .skip  16
        .skip   32768
stack_top:
