// A CPU-bound guest: computes for ever without leaving guest code and counts its rounds of eight instructions in the
// second page of its memory. Linked at 0x40000000, entered with the MMU off.
        .global _start
_start:
        movz    x5, #0x4000, lsl #16
        add     x5, x5, #1, lsl #12
        mov     x6, #0
        movz    x7, #0x9e37, lsl #48
        mov     x8, #1
1:      add     x6, x6, #1
        mul     x8, x8, x7
        eor     x8, x8, x6, ror #13
        add     x9, x9, x8, lsr #7
        csel    x10, x9, x8, mi
        subs    x11, x10, x6
        str     x6, [x5]
        b       1b
