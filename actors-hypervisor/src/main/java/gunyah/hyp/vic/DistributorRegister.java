package gunyah.hyp.vic;

import gunyah.hyp.vic.LineRegisters.Bank;

/**
 * The registers of the distributor frame (IHI 0069, 12.8; Gunyah hyp/vm/vgic vdevice). Legacy registers and those of
 * the secure state are there but read as zero and ignore writes. The E ones are those of the extended SPIs.
 */
enum DistributorRegister {
    CTLR(RegisterSpan.word(0x0)),
    TYPER(RegisterSpan.word(0x4).readOnly()),
    IIDR(RegisterSpan.word(0x8).readOnly()),
    TYPER2(RegisterSpan.word(0xC).readOnly()),
    STATUSR(RegisterSpan.word(0x10)),
    SETSPI_NSR(RegisterSpan.half(0x40).writeOnly()),
    CLRSPI_NSR(RegisterSpan.half(0x48).writeOnly()),
    SETSPI_SR(RegisterSpan.word(0x50).writeOnly()),
    CLRSPI_SR(RegisterSpan.word(0x58).writeOnly()),
    IGROUPR(0x80, Bank.IGROUPR),
    ISENABLER(0x100, Bank.ISENABLER),
    ICENABLER(0x180, Bank.ICENABLER),
    ISPENDR(0x200, Bank.ISPENDR),
    ICPENDR(0x280, Bank.ICPENDR),
    ISACTIVER(0x300, Bank.ISACTIVER),
    ICACTIVER(0x380, Bank.ICACTIVER),
    IPRIORITYR(RegisterSpan.bytes(0x400, 0x800)),
    ITARGETSR(RegisterSpan.bytes(0x800, 0xC00)),
    ICFGR(RegisterSpan.words(0xC00, 0xD00)),
    IGRPMODR(RegisterSpan.words(0xD00, 0xD80)),
    NSACR(RegisterSpan.words(0xE00, 0xF00)),
    SGIR(RegisterSpan.word(0xF00).writeOnly()),
    CPENDSGIR(RegisterSpan.bytes(0xF10, 0xF20)),
    SPENDSGIR(RegisterSpan.bytes(0xF20, 0xF30)),
    IGROUPR_E(0x1000, Bank.IGROUPR),
    ISENABLER_E(0x1200, Bank.ISENABLER),
    ICENABLER_E(0x1400, Bank.ICENABLER),
    ISPENDR_E(0x1600, Bank.ISPENDR),
    ICPENDR_E(0x1800, Bank.ICPENDR),
    ISACTIVER_E(0x1A00, Bank.ISACTIVER),
    ICACTIVER_E(0x1C00, Bank.ICACTIVER),
    IPRIORITYR_E(RegisterSpan.bytes(0x2000, 0x2400)),
    ICFGR_E(RegisterSpan.words(0x3000, 0x3100)),
    IGRPMODR_E(RegisterSpan.words(0x3400, 0x3480)),
    NSACR_E(RegisterSpan.words(0x3600, 0x3700)),
    IROUTER(RegisterSpan.doubles(0x6000, 0x8000)),
    IROUTER_E(RegisterSpan.doubles(0x8000, 0xA000)),
    PIDR2(RegisterSpan.word(0xFFE8).readOnly());

    private static final int BANK_BYTES = 0x80;
    private static final RegisterMap<DistributorRegister> MAP =
            new RegisterMap<>(DistributorFrame.SIZE, values(), register -> register.span);

    final RegisterSpan span;
    /** Null unless it has one bit per line. */
    final Bank bank;
    final boolean extended;

    DistributorRegister(RegisterSpan span) {
        this(span, null);
    }

    DistributorRegister(int first, Bank bank) {
        this(RegisterSpan.words(first, first + BANK_BYTES), bank);
    }

    DistributorRegister(RegisterSpan span, Bank bank) {
        this.span = span;
        this.bank = bank;
        this.extended = name().endsWith("_E");
    }

    /** {@return the register at the offset, or null} */
    static DistributorRegister at(long offset, boolean withExtended) {
        DistributorRegister register = MAP.at(offset);
        return register == null || register.extended && !withExtended ? null : register;
    }

    /** {@return the slot of the lowest field at the offset, of fields this many to eight bytes} */
    int slot(long offset, int fieldsPerEightBytes) {
        return (extended ? Intids.SPI_END : 0) + (int) (offset - span.first()) * fieldsPerEightBytes / 8;
    }
}
