/*
 * A VM's program that does what a page says, which its owner writes: makes hypercalls, loads and stores, and reports
 * results and faults. The owner rings a doorbell after it has written a command.
 *
 * The page: 0x00 number of the last command; 0x08 number of the last one done; 0x10 what to do; 0x18 address or x0;
 * 0x20 value or x1, ... up to x7 at 0x50; results in the same places; 0x58 ESR_EL1 when the access faulted, else 0;
 * 0x60 capability of the doorbell; 0x68 the last other interrupt that it took. What to do 5 is a whole exchange with the
 * Resource Manager: 0x20 and 0x28 capabilities to send and to receive, 0x30 length of the packet at 0x200; the first packet
 * of the reply is left at 0x400. What to do 6 is a list of accesses: 0x20 how many, at 0x700 for each 1 load, 2 store or
 * 3 fetch an instruction; the address; the value, or what was loaded; and as a result ESR_EL1 when it faulted, else 0.
 */
        .arch   armv8-a
        .equ    PAGE, 0x90000000
        .equ    GICD, 0x3fff0000
        .equ    GICR, 0x3ffd0000
        .equ    BELL, 37
        .equ    DOORBELL_RECEIVE, 0xc6008013
        .equ    MSGQUEUE_SEND, 0xc600801b
        .equ    MSGQUEUE_RECEIVE, 0xc600801c
        .equ    DONE, 0x08
        .equ    WHAT, 0x10
        .equ    ADDRESS, 0x18
        .equ    VALUE, 0x20
        .equ    FAULT, 0x58
        .equ    CAP, 0x60
        .equ    TAKEN, 0x68
        .equ    OUTBOX, 0x200
        .equ    INBOX, 0x400
        .equ    REST, 0x600
        .equ    LIST, 0x700
        .equ    REPLY, 2

        .text
start:  ldr     x19, =PAGE
        mov     x20, #0
        adr     x0, vectors
        msr     vbar_el1, x0
        ldr     x1, =GICR
        str     wzr, [x1, #0x14]        // GICR_WAKER: awake
        ldr     x1, =GICD
        mov     w2, #0x12               // affinity routing, group 1
        str     w2, [x1]
        mov     w2, #(1 << (BELL % 32))
        str     w2, [x1, #(0x80 + 4 * (BELL / 32))]
        mov     w3, #0x80
        strb    w3, [x1, #(0x400 + BELL)]
        mov     w3, #(2 << (2 * (BELL % 16)))
        str     w3, [x1, #(0xc00 + 4 * (BELL / 16))]
        mov     x3, #(0x6000 + 8 * BELL)
        str     xzr, [x1, x3]
        str     w2, [x1, #(0x100 + 4 * (BELL / 32))]
        mov     x2, #7
        msr     s3_0_c12_c12_5, x2      // ICC_SRE_EL1
        isb
        mov     x2, #0xf0
        msr     s3_0_c4_c6_0, x2        // ICC_PMR_EL1
        mov     x2, #1
        msr     s3_0_c12_c12_7, x2      // ICC_IGRPEN1_EL1
        isb
        b       next

idle:   wfi
        mrs     x0, s3_0_c12_c12_0      // ICC_IAR1_EL1
        cmp     x0, #1020
        b.hs    next
        msr     s3_0_c12_c12_1, x0      // ICC_EOIR1_EL1
        isb
        cmp     x0, #BELL
        b.eq    rung
        str     x0, [x19, #TAKEN]
        b       next
rung:   ldr     x1, [x19, #CAP]
        ldr     x0, =DOORBELL_RECEIVE
        mov     x2, #-1
        mov     x3, #0
        hvc     #0
next:   ldar    x0, [x19]
        cmp     x0, x20
        b.eq    idle
        mov     x20, x0
        str     xzr, [x19, #FAULT]
        ldr     x0, [x19, #WHAT]
        ldr     x1, [x19, #ADDRESS]
        cbz     x0, call
        cmp     x0, #2
        b.eq    store
        cmp     x0, #3
        b.eq    load32
        cmp     x0, #4
        b.eq    store32
        cmp     x0, #5
        b.eq    exchange
        cmp     x0, #6
        b.eq    visit

        adr     x9, done                // 1: load 64 bits
        ldr     x2, [x1]
        str     x2, [x19, #VALUE]
        b       done
store:  ldr     x2, [x19, #VALUE]       // 2
        adr     x9, done
        str     x2, [x1]
        b       done
load32: adr     x9, done                // 3
        ldr     w2, [x1]
        str     x2, [x19, #VALUE]
        b       done
store32:                                // 4
        ldr     x2, [x19, #VALUE]
        adr     x9, done
        str     w2, [x1]
        b       done
call:   mov     x0, x1                  // 0: hypercall
        add     x9, x19, #VALUE
        ldp     x1, x2, [x9]
        ldp     x3, x4, [x9, #16]
        ldp     x5, x6, [x9, #32]
        ldr     x7, [x9, #48]
        hvc     #0
        ldr     x19, =PAGE
        str     x0, [x19, #ADDRESS]
        add     x9, x19, #VALUE
        stp     x1, x2, [x9]
        stp     x3, x4, [x9, #16]
        stp     x5, x6, [x9, #32]
        str     x7, [x9, #48]
        b       done

exchange:                               // 5
        ldp     x21, x22, [x19, #VALUE]
        ldr     x2, [x19, #(VALUE + 16)]
        ldr     x0, =MSGQUEUE_SEND
        mov     x1, x21
        add     x3, x19, #OUTBOX
        mov     x4, #1
        mov     x5, #0
        hvc     #0
        str     x0, [x19, #ADDRESS]
        cbnz    x0, done
message:
        add     x24, x19, #INBOX
        bl      take
        ldrb    w25, [x19, #(INBOX + 1)]
        and     w26, w25, #3            // type
        lsr     w25, w25, #2            // packets that follow
rest:   cbz     w25, whole
        sub     w25, w25, #1
        add     x24, x19, #REST
        bl      take
        b       rest
whole:  cmp     w26, #REPLY
        b.ne    message
        b       done
take:   ldr     x0, =MSGQUEUE_RECEIVE
        mov     x1, x22
        mov     x2, x24
        mov     x3, #240
        hvc     #0
        cbnz    x0, take
        ret

visit:                                  // 6
        ldr     x21, [x19, #VALUE]
        add     x22, x19, #LIST
each:   cbz     x21, done
        sub     x21, x21, #1
        ldp     x0, x1, [x22]
        ldr     x2, [x22, #16]
        adr     x9, visited
        cmp     x0, #2
        b.eq    2f
        b.hi    3f
        ldr     x2, [x1]
        b       visited
2:      str     x2, [x1]
        b       visited
3:      blr     x1                      // UDF: an instruction was there
visited:
        ldr     x10, [x19, #FAULT]
        stp     x2, x10, [x22, #16]
        str     xzr, [x19, #FAULT]
        add     x22, x22, #32
        b       each

done:   mov     x9, #0
        add     x0, x19, #DONE
        stlr    x20, [x0]
        b       next

        .balign 2048
vectors:
        .rept   16
        .balign 128
        b       exception
        .endr

        // An access goes on where x9 says; a fault of anything else stops here.
exception:
        cbz     x9, .
        mrs     x10, esr_el1
        str     x10, [x19, #FAULT]
        msr     elr_el1, x9
        eret
