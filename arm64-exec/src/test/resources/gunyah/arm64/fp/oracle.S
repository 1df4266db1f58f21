// Runs every case once: load a register state, call "word; ret", write the resulting state to standard output.
// X28-X30 belong to this program. Layouts are those of QemuOracle.
        .section .code, "ax"
        .global code
code:   .incbin "code.bin"

        .section .buf, "aw"
buf:    .space 512

        .data
        .align 4
states: .incbin "states.bin"
bufinit: .incbin "buffer.bin"
cases:  .incbin "cases.bin"
casesend:
        .align 4
out:    .space 1280
next:   .quad 0

        .text
        .global _start
_start:
loop:
        ldr     x29, =next
        ldr     x20, [x29]
        ldr     x21, =cases
        add     x22, x21, x20, lsl #2
        ldr     x23, =casesend
        cmp     x22, x23
        b.hs    done
        ldr     w24, [x22]
        mov     x25, #768
        ldr     x28, =states
        madd    x28, x24, x25, x28
        ldr     x30, =code
        add     x30, x30, x20, lsl #3
        add     x20, x20, #1
        str     x20, [x29]
        ldr     x0, =buf
        ldr     x1, =bufinit
        bl      copy512
        ldr     x29, =next
        ldr     x20, [x29]
        sub     x20, x20, #1
        ldr     x30, =code
        add     x30, x30, x20, lsl #3
        ldr     x0, [x28, #752]
        msr     fpcr, x0
        ldr     x0, [x28, #760]
        msr     fpsr, x0
        ldr     x0, [x28, #744]
        msr     nzcv, x0
        ldr     x0, [x28, #736]
        mov     sp, x0
        ldp     q0, q1, [x28, #0]
        ldp     q2, q3, [x28, #32]
        ldp     q4, q5, [x28, #64]
        ldp     q6, q7, [x28, #96]
        ldp     q8, q9, [x28, #128]
        ldp     q10, q11, [x28, #160]
        ldp     q12, q13, [x28, #192]
        ldp     q14, q15, [x28, #224]
        ldp     q16, q17, [x28, #256]
        ldp     q18, q19, [x28, #288]
        ldp     q20, q21, [x28, #320]
        ldp     q22, q23, [x28, #352]
        ldp     q24, q25, [x28, #384]
        ldp     q26, q27, [x28, #416]
        ldp     q28, q29, [x28, #448]
        ldp     q30, q31, [x28, #480]
        add     x28, x28, #512
        ldp     x0, x1, [x28, #0]
        ldp     x2, x3, [x28, #16]
        ldp     x4, x5, [x28, #32]
        ldp     x6, x7, [x28, #48]
        ldp     x8, x9, [x28, #64]
        ldp     x10, x11, [x28, #80]
        ldp     x12, x13, [x28, #96]
        ldp     x14, x15, [x28, #112]
        ldp     x16, x17, [x28, #128]
        ldp     x18, x19, [x28, #144]
        ldp     x20, x21, [x28, #160]
        ldp     x22, x23, [x28, #176]
        ldp     x24, x25, [x28, #192]
        ldp     x26, x27, [x28, #208]
        blr     x30
        ldr     x29, =out
        add     x30, x29, #512
        stp     x0, x1, [x30, #0]
        stp     x2, x3, [x30, #16]
        stp     x4, x5, [x30, #32]
        stp     x6, x7, [x30, #48]
        stp     x8, x9, [x30, #64]
        stp     x10, x11, [x30, #80]
        stp     x12, x13, [x30, #96]
        stp     x14, x15, [x30, #112]
        stp     x16, x17, [x30, #128]
        stp     x18, x19, [x30, #144]
        stp     x20, x21, [x30, #160]
        stp     x22, x23, [x30, #176]
        stp     x24, x25, [x30, #192]
        stp     x26, x27, [x30, #208]
        mov     x0, sp
        str     x0, [x30, #224]
        mrs     x0, nzcv
        str     x0, [x30, #232]
        mrs     x0, fpsr
        str     x0, [x30, #240]
        stp     q0, q1, [x29, #0]
        stp     q2, q3, [x29, #32]
        stp     q4, q5, [x29, #64]
        stp     q6, q7, [x29, #96]
        stp     q8, q9, [x29, #128]
        stp     q10, q11, [x29, #160]
        stp     q12, q13, [x29, #192]
        stp     q14, q15, [x29, #224]
        stp     q16, q17, [x29, #256]
        stp     q18, q19, [x29, #288]
        stp     q20, q21, [x29, #320]
        stp     q22, q23, [x29, #352]
        stp     q24, q25, [x29, #384]
        stp     q26, q27, [x29, #416]
        stp     q28, q29, [x29, #448]
        stp     q30, q31, [x29, #480]
        add     x0, x29, #768
        ldr     x1, =buf
        bl      copy512
        mov     x0, #1
        ldr     x1, =out
        mov     x2, #1280
        mov     x8, #64
        svc     #0
        b       loop
done:
        mov     x0, #0
        mov     x8, #93
        svc     #0

copy512:
        mov     x2, #0
1:      ldr     x3, [x1, x2]
        str     x3, [x0, x2]
        add     x2, x2, #8
        cmp     x2, #512
        b.ne    1b
        ret
