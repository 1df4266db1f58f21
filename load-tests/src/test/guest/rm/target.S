/* What the client's VMs execute, and their device trees. */
    .section .rodata
    .balign 8
    // Writes into its own page, then asks the hypervisor to be powered off.
    .global proxy_program
proxy_program:
    adr     x1, proxy_program
    str     x1, [x1, #64]
    ldr     w0, =0x84000008
    hvc     #0
    b       .
    .ltorg
    .balign 128
    .global proxy_program_end
proxy_program_end:

    // x0 = device tree. Adds up the first words of its tree and of the shared buffer, leaves the sum in the buffer.
    .global scheduled_program
scheduled_program:
    ldr     x1, =0x90000000
    ldr     w2, [x0]
    ldr     w3, [x1]
    add     w2, w2, w3
    str     w2, [x1, #8]
    mrs     x2, mpidr_el1
    str     x2, [x1, #16]
    adr     x3, scheduled_program
    str     x3, [x1, #24]
    str     x3, [x3, #128]
    dsb     sy
    ldr     w0, =0x84000008
    hvc     #0
    b       .
    .ltorg
    .global scheduled_program_end
scheduled_program_end:

    .balign 8
    .global proxy_tree, proxy_tree_end, scheduled_tree, scheduled_tree_end
proxy_tree:
    .incbin "proxy.dtb"
proxy_tree_end:
    .balign 8
scheduled_tree:
    .incbin "scheduled.dtb"
scheduled_tree_end:
