/* Entry of the benchmark kernels: one CPU at EL1, FP on, identity map with 4 KiB pages, then C. Runs on our machine and
   on QEMU's virt machine, whose address map is the same. */
    .text
    .globl _start
_start:
    mov x0, #3 << 20
    msr cpacr_el1, x0
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    adrp x0, stack_end
    add sp, x0, :lo12:stack_end
    bl make_tables
    /* attribute 0 device-nGnRE, 1 normal write back */
    mov x1, #0xff04
    msr mair_el1, x1
    /* T0SZ 25, inner shareable write back walks, EPD1, 40 bit addresses */
    movz x1, #0x3519
    movk x1, #0x0080, lsl #16
    movk x1, #0x0002, lsl #32
    msr tcr_el1, x1
    msr ttbr0_el1, x0
    isb
    mrs x1, sctlr_el1
    mov x2, #0x1005
    orr x1, x1, x2
    msr sctlr_el1, x1
    isb
    b kernels

    .globl power_off
power_off:
    movz x0, #0x8400, lsl #16
    movk x0, #0x0008
    hvc #0
    b .

    .balign 2048
vectors:
    .rept 16
    .balign 128
    b unexpected
    .endr
