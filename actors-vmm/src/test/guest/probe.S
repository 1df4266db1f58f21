// A guest that does what the test on the other side of its MMIO port says: each command is read from the port and its
// result written to it, so the test sees every step as an exit of vcpu_run. No stack, no memory but the program.
//
// port + 0x00 r  command             port + 0x18 w  result, the command is done
//        0x08 r  first argument             0x28 w  ESR_EL1 of an exception, instead of a result
//        0x10 r  second                     0x30 w  FAR_EL1, follows it
//        0x20 r  third                      0x38 w  any: the vCPU is up
//        0x40..0x78 r X0 to X7 of a call    0x80..0x98 w X0 to X3 after it
        .equ    PORT, 0x10000

        .globl  _start
_start: mov     x19, #PORT
        adr     x1, vectors
        msr     vbar_el1, x1
        isb
        str     x0, [x19, #0x38]
next:   ldr     x20, [x19]
        ldr     x21, [x19, #0x08]
        adr     x1, commands
        add     x1, x1, x20, lsl #2
        br      x1
commands:
        b       load            // 0: address, size
        b       store           // 1: address, size, value
        b       call            // 2: SMCCC call
        b       wait            // 3: WFI
        b       open            // 4: the interrupt controller's CPU interface on
        b       take            // 5: acknowledge and end one interrupt; result the INTID
        b       touch           // 6: a load of each page from address to end
        b       repeat          // 7: address, count, value: so many 8-byte stores
        b       fill            // 8: address, end, value: an 8-byte store to each page
        b       spin            // 9: for ever

load:   ldr     x22, [x19, #0x10]
        mov     x0, #0
        tbnz    x22, #0, 1f
        tbnz    x22, #1, 2f
        tbnz    x22, #2, 4f
        ldr     x0, [x21]
        b       done
1:      ldrb    w0, [x21]
        b       done
2:      ldrh    w0, [x21]
        b       done
4:      ldr     w0, [x21]
        b       done

store:  ldr     x22, [x19, #0x10]
        ldr     x23, [x19, #0x20]
        mov     x0, #0
        tbnz    x22, #0, 1f
        tbnz    x22, #1, 2f
        tbnz    x22, #2, 4f
        str     x23, [x21]
        b       done
1:      strb    w23, [x21]
        b       done
2:      strh    w23, [x21]
        b       done
4:      str     w23, [x21]
        b       done

call:   ldr     x0, [x19, #0x40]
        ldr     x1, [x19, #0x48]
        ldr     x2, [x19, #0x50]
        ldr     x3, [x19, #0x58]
        ldr     x4, [x19, #0x60]
        ldr     x5, [x19, #0x68]
        ldr     x6, [x19, #0x70]
        ldr     x7, [x19, #0x78]
        hvc     #0
        str     x0, [x19, #0x80]
        str     x1, [x19, #0x88]
        str     x2, [x19, #0x90]
        str     x3, [x19, #0x98]
        b       done

wait:   wfi
        mov     x0, #0
        b       done

open:   mrs     x0, s3_0_c12_c12_5      // ICC_SRE_EL1
        orr     x0, x0, #1
        msr     s3_0_c12_c12_5, x0
        isb
        mov     x0, #0xff
        msr     s3_0_c4_c6_0, x0        // ICC_PMR_EL1
        mov     x0, #1
        msr     s3_0_c12_c12_7, x0      // ICC_IGRPEN1_EL1
        isb
        b       done

take:   mrs     x0, s3_0_c12_c12_0      // ICC_IAR1_EL1
        dsb     sy
        msr     s3_0_c12_c12_1, x0      // ICC_EOIR1_EL1
        isb
        b       done

touch:  ldr     x22, [x19, #0x10]
        mov     x0, #0
1:      cmp     x21, x22
        b.hs    done
        ldr     x1, [x21]
        add     x0, x0, x1
        add     x21, x21, #0x1000
        b       1b

repeat: ldr     x22, [x19, #0x10]
        ldr     x23, [x19, #0x20]
        mov     x0, #0
1:      cbz     x22, done
        str     x23, [x21]
        sub     x22, x22, #1
        b       1b

fill:   ldr     x22, [x19, #0x10]
        ldr     x23, [x19, #0x20]
        mov     x0, #0
1:      cmp     x21, x22
        b.hs    done
        str     x23, [x21]
        add     x21, x21, #0x1000
        b       1b

spin:   b       .

done:   str     x0, [x19, #0x18]
        b       next

        .balign 2048
vectors:
        .rept   16
        b       fault
        .balign 128
        .endr
fault:  mrs     x0, esr_el1
        str     x0, [x19, #0x28]
        mrs     x0, far_el1
        str     x0, [x19, #0x30]
        b       next
