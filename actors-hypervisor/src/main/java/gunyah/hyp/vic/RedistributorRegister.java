package gunyah.hyp.vic;

import gunyah.hyp.vic.LineRegisters.Bank;

/**
 * The registers of a redistributor, RD frame and SGI frame (IHI 0069, 12.10 and 12.11; Gunyah hyp/vm/vgic vdevice). No
 * LPIs: their tables read as zero and cannot be written.
 */
enum RedistributorRegister {
    CTLR(RegisterSpan.word(0x0)),
    IIDR(RegisterSpan.word(0x4).readOnly()),
    TYPER(RegisterSpan.doubles(0x8, 0x10).readOnly()),
    STATUSR(RegisterSpan.word(0x10)),
    WAKER(RegisterSpan.word(0x14)),
    SETLPIR(RegisterSpan.doubles(0x40, 0x48).writeOnly()),
    CLRLPIR(RegisterSpan.doubles(0x48, 0x50).writeOnly()),
    SYNCR(RegisterSpan.word(0xC0).readOnly()),
    PIDR2(RegisterSpan.word(0xFFE8).readOnly()),
    IGROUPR0(0x80, Bank.IGROUPR),
    ISENABLER0(0x100, Bank.ISENABLER),
    ICENABLER0(0x180, Bank.ICENABLER),
    ISPENDR0(0x200, Bank.ISPENDR),
    ICPENDR0(0x280, Bank.ICPENDR),
    ISACTIVER0(0x300, Bank.ISACTIVER),
    ICACTIVER0(0x380, Bank.ICACTIVER),
    IPRIORITYR(RegisterSpan.bytes(RedistributorRegister.SGI_FRAME + 0x400, RedistributorRegister.SGI_FRAME + 0x420)),
    ICFGR0(RegisterSpan.word(RedistributorRegister.SGI_FRAME + 0xC00)),
    ICFGR1(RegisterSpan.word(RedistributorRegister.SGI_FRAME + 0xC04)),
    IGRPMODR0(RegisterSpan.word(RedistributorRegister.SGI_FRAME + 0xD00)),
    NSACR(RegisterSpan.word(RedistributorRegister.SGI_FRAME + 0xE00));

    private static final int SGI_FRAME = 0x1_0000;
    private static final RegisterMap<RedistributorRegister> MAP =
            new RegisterMap<>(RedistributorFrame.SIZE, values(), register -> register.span);

    final RegisterSpan span;
    /** Null unless it has one bit per line. */
    final Bank bank;

    RedistributorRegister(RegisterSpan span) {
        this.span = span;
        this.bank = null;
    }

    RedistributorRegister(int inSgiFrame, Bank bank) {
        this.span = RegisterSpan.word(SGI_FRAME + inSgiFrame);
        this.bank = bank;
    }

    /** {@return the register at the offset, or null} */
    static RedistributorRegister at(long offset) {
        return MAP.at(offset);
    }
}
