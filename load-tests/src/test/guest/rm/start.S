/*
 * Image header, entry, vectors and calls of the Resource Manager's client, which is the kernel of the primary VM. Boot
 * protocol: Linux Documentation/arch/arm64/booting.rst; entered at EL1h with the MMU off, x0 = device tree.
 */
    .section .head, "ax"
    .global image_start
image_start:
    b       entry
    .word   0
    .quad   0                       // text_offset
    .quad   image_end - image_start // image_size, BSS included
    .quad   0xa                     // little endian, 4 KiB pages, anywhere in RAM
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

    .text
entry:
    mov     x20, x0
    adrp    x0, bss_start
    add     x0, x0, :lo12:bss_start
    adrp    x1, image_end
    add     x1, x1, :lo12:image_end
1:  cmp     x0, x1
    b.hs    2f
    str     xzr, [x0], #8
    b       1b
2:  adrp    x1, stack_end
    add     x1, x1, :lo12:stack_end
    mov     sp, x1
    adrp    x1, vectors
    add     x1, x1, :lo12:vectors
    msr     vbar_el1, x1
    isb
    mov     x0, x20
    b       client

    // void hypercall(u64 number, u64 regs[8]): regs are x1 and up on the way in, x0 and up on the way out.
    .global hypercall
hypercall:
    stp     x29, x30, [sp, #-32]!
    str     x1, [sp, #16]
    mov     x9, x1
    ldr     x8, =0xc6008000
    orr     x0, x0, x8
    ldp     x1, x2, [x9]
    ldp     x3, x4, [x9, #16]
    ldp     x5, x6, [x9, #32]
    ldr     x7, [x9, #48]
    hvc     #0
    ldr     x9, [sp, #16]
    stp     x0, x1, [x9]
    stp     x2, x3, [x9, #16]
    stp     x4, x5, [x9, #32]
    stp     x6, x7, [x9, #48]
    ldp     x29, x30, [sp], #32
    ret

    .global power_off
power_off:
    ldr     x0, =0x84000008         // PSCI SYSTEM_OFF
    hvc     #0
    b       .

    // u32 can_read(u64 address): 1 or, when the access faults, 0
    .global can_read
can_read:
    mov     x1, x0
    mov     w0, #1
    adr     x9, 1f
    ldrb    w1, [x1]
1:  mov     x9, #0
    ret

    .balign 2048
vectors:
    .rept   16
    .balign 128
    b       exception
    .endr

    // A fault that can_read expects (x9 = where to go on) answers 0; any other ends the program with a report.
exception:
    mrs     x10, elr_el1
    add     x10, x10, #4
    cmp     x10, x9
    b.ne    1f
    msr     elr_el1, x10
    mov     w0, #0
    eret
1:  mrs     x0, esr_el1
    mrs     x1, elr_el1
    mrs     x2, far_el1
    b       fault

    .bss
    .balign 16
stack:
    .skip   8192
stack_end:
