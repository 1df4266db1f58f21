package gunyah.arm64.sysreg;

import static gunyah.arm64.SystemBoard.CPACR;
import static gunyah.arm64.SystemBoard.PAR;
import static gunyah.arm64.SystemBoard.RAM;
import static gunyah.arm64.SystemBoard.SCTLR;
import static gunyah.arm64.SystemBoard.SCTLR_RESET;
import static gunyah.arm64.SystemBoard.VBAR;
import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gunyah.arm64.SystemBoard;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SystemRegistersTest {
    private static final int SP_EL0 = key(3, 0, 4, 1, 0);
    private static final int DAIF = key(3, 3, 4, 2, 1);
    private static final int TPIDR_EL0 = key(3, 3, 13, 0, 2);
    private static final int TPIDRRO_EL0 = key(3, 3, 13, 0, 3);
    private static final int CTR = key(3, 3, 0, 0, 1);
    private static final int CNTVCT = key(3, 3, 14, 0, 2);
    private static final int CNTKCTL = key(3, 0, 14, 1, 0);
    private static final int FPCR = key(3, 3, 4, 4, 0);
    private static final long UNDEFINED = 0x0200_0000;

    private final SystemBoard board = new SystemBoard();
    private final SystemRegisters registers = board.registers;

    @AfterEach
    void close() {
        board.close();
    }

    @Test
    void keyIsBits20To5OfTheInstruction() {
        // mrs x0, sp_el0; mrs x3, ctr_el0; msr ttbr0_el1, x1; dc zva, x2
        assertEquals(0xD538_4100 >>> 5 & 0xFFFF, SP_EL0);
        assertEquals(0xD53B_0023 >>> 5 & 0xFFFF, CTR);
        assertEquals(0xD518_2001 >>> 5 & 0xFFFF, SystemBoard.TTBR0);
        assertEquals(SystemOperation.DC_ZVA.key, 0xD50B_7422 >>> 5 & 0xFFFF);
    }

    @Test
    void everyRowReadsItsResetValueOrIsWriteOnly() {
        for (SystemRegister register : SystemRegister.ALL) {
            if (register.kind == SystemRegister.Kind.SPECIAL || register.kind == SystemRegister.Kind.PMU || register == SystemRegister.MPIDR_EL1) {
                continue;
            }
            assertEquals(register.reset, registers.read(register.key), register.name());
        }
        assertEquals(0x8000_0001L, registers.read(key(3, 0, 0, 0, 5)), "MPIDR_EL1");
        assertEquals(UNDEFINED, board.esr(() -> registers.read(key(2, 0, 1, 0, 4))), "OSLAR_EL1 is write only");
    }

    @Test
    void resetForgetsEverythingButTheIdentity() {
        long root = board.newTable();
        board.enable(root, root);
        registers.write(key(3, 3, 14, 3, 1), 1);
        registers.write(TPIDR_EL0, 5);

        registers.reset();

        assertEquals(SCTLR_RESET, registers.read(SCTLR));
        assertEquals(0, registers.read(TPIDR_EL0));
        assertEquals(0x8000_0001L, registers.read(key(3, 0, 0, 0, 5)));
        assertEquals(Long.MAX_VALUE, registers.timers().nextDeadline());
        assertEquals(0, board.mmu.read64(RAM), "the MMU is off");
    }

    @Test
    void writesChangeExactlyTheMaskedBits() {
        for (SystemRegister register : SystemRegister.ALL) {
            if (register.kind != SystemRegister.Kind.PLAIN || !register.el1Write) {
                continue;
            }
            registers.write(register.key, -1);
            assertEquals(register.reset & ~register.writeMask | register.writeMask, registers.read(register.key),
                    register.name());
            registers.write(register.key, 0);
            assertEquals(register.reset & ~register.writeMask, registers.read(register.key), register.name());
        }
    }

    @Test
    void readOnlyRegistersRefuseWrites() {
        for (SystemRegister register : SystemRegister.ALL) {
            if (!register.el1Write) {
                assertEquals(UNDEFINED, board.esr(() -> registers.write(register.key, 0)), register.name());
            }
        }
    }

    @Test
    void el0ReachesOnlyWhatIsMeantForIt() {
        registers.write(TPIDR_EL0, 5);
        registers.write(TPIDRRO_EL0, 6);
        board.el(0);

        registers.write(TPIDR_EL0, 7);
        assertEquals(7, registers.read(TPIDR_EL0));
        assertEquals(6, registers.read(TPIDRRO_EL0));
        assertEquals(UNDEFINED, board.esr(() -> registers.write(TPIDRRO_EL0, 1)));
        assertEquals(UNDEFINED, board.esr(() -> registers.read(key(3, 0, 13, 0, 4))), "TPIDR_EL1");
        assertEquals(UNDEFINED, board.esr(() -> registers.read(key(3, 0, 0, 4, 0))), "ID_AA64PFR0_EL1");
        assertEquals(UNDEFINED, board.esr(() -> registers.write(SCTLR, 0)));
    }

    @Test
    void controlledAccessOfEl0TrapsWithItsSyndrome() {
        // mrs x3, ctr_el0 at RAM; mrs x9, cntvct_el0 behind it
        gunyah.memory.RawMemory.RAW.putInt(board.host(RAM), 0xD53B_0023);
        gunyah.memory.RawMemory.RAW.putInt(board.host(RAM + 4), 0xD53B_E049);
        board.el(0);
        board.s.pc = RAM;
        // EC 0x18, op0 3, op2 1, op1 3, CRn 0, Rt 3, CRm 0, read
        assertEquals(0x6232_C061L, board.esr(() -> registers.read(CTR)));
        board.s.pc = RAM + 4;
        assertEquals(0x6234_F921L, board.esr(() -> registers.read(CNTVCT)));

        board.el(1);
        registers.write(SCTLR, SCTLR_RESET | 1 << 15);
        registers.write(CNTKCTL, 2);
        board.port.counter = 99;
        board.el(0);
        assertEquals(0x9444_C004L, registers.read(CTR));
        assertEquals(99, registers.read(CNTVCT));
    }

    @Test
    void idSpaceReadsAsZeroWhereNothingIsAllocated() {
        for (int crm = 1; crm <= 7; crm++) {
            for (int op2 = 0; op2 < 8; op2++) {
                registers.read(key(3, 0, 0, crm, op2));
            }
        }
        assertEquals(0, registers.read(key(3, 0, 0, 1, 0)), "ID_PFR0_EL1");
        assertEquals(0x0000_0000_0100_0011L, registers.read(key(3, 0, 0, 4, 0)), "PFR0");
        assertEquals(0x20, registers.read(key(3, 0, 0, 4, 1)), "PFR1: SSBS");
        assertEquals(0x1030_5106, registers.read(key(3, 0, 0, 5, 0)), "DFR0");
        assertEquals(0x0021_0000, registers.read(key(3, 0, 0, 6, 0)), "ISAR0: CRC32, LSE");
        assertEquals(1, registers.read(key(3, 0, 0, 6, 1)), "ISAR1: DPB");
        assertEquals(0x0F00_0021, registers.read(key(3, 0, 0, 7, 0)), "MMFR0");
        assertEquals(0x0020_1002, registers.read(key(3, 0, 0, 7, 1)), "MMFR1: PAN2, HPDS, HAFDBS");
        assertEquals(0x10, registers.read(key(3, 0, 0, 7, 2)), "MMFR2: UAO");
        assertEquals(0x000F_0480, registers.read(key(3, 0, 0, 0, 0)), "MIDR");
        assertEquals(UNDEFINED, board.esr(() -> registers.write(key(3, 0, 0, 4, 0), 0)));
        assertEquals(0, registers.unknownCount());
    }

    @Test
    void unknownEncodingsAreUndefinedAndRemembered() {
        int por = key(3, 3, 10, 2, 4);
        board.s.pc = 0x1234;

        assertEquals(UNDEFINED, board.esr(() -> registers.read(por)));
        assertEquals(UNDEFINED, board.esr(() -> registers.write(por, 1)));
        assertEquals(UNDEFINED, board.esr(() -> registers.sys(key(1, 3, 7, 3, 4), 0)));
        assertEquals(UNDEFINED, board.esr(() -> registers.read(key(3, 3, 4, 2, 5))), "DIT is not advertised");

        assertEquals(4, registers.unknownCount());
        assertEquals(List.of(new SystemRegisters.UnknownAccess(key(1, 3, 7, 3, 4), 0x1234, 1),
                new SystemRegisters.UnknownAccess(key(3, 3, 4, 2, 5), 0x1234, 1),
                new SystemRegisters.UnknownAccess(por, 0x1234, 2)), registers.unknownAccesses());
        assertEquals("S3_3_C10_C2_4 at 0x1234, 2 times", registers.unknownAccesses().get(2).toString());
    }

    @Test
    void interruptControllerRegistersBelongToTheOwner() {
        registers.write(SystemBoard.Port.ICC_PMR, 0xF0);

        assertEquals(0xF0, board.port.pmr);
        assertEquals(0xF0, registers.read(SystemBoard.Port.ICC_PMR));
        board.el(0);
        assertEquals(UNDEFINED, board.esr(() -> registers.read(SystemBoard.Port.ICC_PMR)));
    }

    @Test
    void stackPointerOfEl0IsReachableOnlyWhileItIsNotCurrent() {
        board.s.x[31] = 0x1000;
        registers.write(SP_EL0, 0x2000);

        assertEquals(0x2000, registers.read(SP_EL0));
        registers.writePstate(0, 5, 0);
        assertEquals(0x2000, board.s.x[31]);
        assertEquals(UNDEFINED, board.esr(() -> registers.read(SP_EL0)));
        registers.write(key(3, 0, 4, 2, 0), 1);
        assertEquals(0x1000, board.s.x[31]);
        assertEquals(4, registers.read(key(3, 0, 4, 2, 2)), "CurrentEL");
    }

    @Test
    void interruptMasksAreSetAndClearedByImmediate() {
        registers.writePstate(3, 7, 0xF);
        assertEquals(0, board.s.daif);
        registers.writePstate(3, 6, 3);
        assertEquals(0xC0, registers.read(DAIF));
        registers.write(DAIF, -1);
        assertEquals(0x3C0, board.s.daif);

        board.el(0);
        board.s.pc = RAM;
        // msr daifset, #2 encodes Rt as 31
        gunyah.memory.RawMemory.RAW.putInt(board.host(RAM), 0xD503_42DF);
        assertEquals(0x18L << 26 | 1 << 25 | 6 << 17 | 3 << 14 | 4 << 10 | 31 << 5 | 2 << 1,
                board.esr(() -> registers.writePstate(3, 6, 2)));
    }

    @Test
    void panAndUaoAreWritableAtEl1() {
        registers.writePstate(0, 4, 1);
        assertTrue(board.s.pan);
        assertEquals(1 << 22, registers.read(key(3, 0, 4, 2, 3)));
        registers.write(key(3, 0, 4, 2, 4), 1 << 23);
        assertTrue(board.s.uao);
        board.el(0);
        assertEquals(UNDEFINED, board.esr(() -> registers.writePstate(0, 4, 0)));
    }

    @Test
    void fpTrapFollowsCpacrAndTheExceptionLevel() {
        assertTrue(board.s.fpTrapped);
        assertEquals(0x1FE0_0000, board.esr(() -> registers.read(FPCR)));
        registers.write(CPACR, 1 << 20);
        assertFalse(board.s.fpTrapped);
        board.el(0);
        assertTrue(board.s.fpTrapped);
        board.el(1);
        registers.write(CPACR, 3 << 20);
        board.el(0);
        assertFalse(board.s.fpTrapped);
        registers.write(FPCR, -1);
        assertEquals(0x07C0_0000, registers.read(FPCR));
    }

    @Test
    void waitInstructionsTrapAtEl0AsSctlrSays() {
        assertEquals(0, registers.waitTrapEsr(true));
        registers.write(SCTLR, SCTLR_RESET & ~(1L << 18));
        board.el(0);
        assertEquals(0, registers.waitTrapEsr(false));
        assertEquals(0x07E0_0001, registers.waitTrapEsr(true) & 0xFFFF_FFFFL);
    }

    @Test
    void osLockIsSetAndClearedThroughOslar() {
        registers.write(key(2, 0, 1, 0, 4), 0);
        assertEquals(8, registers.read(key(2, 0, 1, 1, 4)));
        registers.write(key(2, 0, 1, 0, 4), 1);
        assertEquals(0xA, registers.read(key(2, 0, 1, 1, 4)));
    }

    @Test
    void interruptStatusShowsTheLines() {
        board.control.irqLine = true;
        assertEquals(0x80, registers.read(key(3, 0, 12, 1, 0)));
    }

    @Test
    void innerShareableTlbMaintenanceIsBroadcast() {
        registers.sys(SystemOperation.TLBI_VAALE1IS.key, 0x1234);
        registers.sys(SystemOperation.TLBI_ASIDE1IS.key, 7L << 48);
        registers.sys(SystemOperation.TLBI_VMALLE1IS.key, 0);
        registers.sys(SystemOperation.TLBI_VAE1.key, 0x1234);

        assertEquals(List.of("tlbi 3 0x1234", "tlbi 2 0x7000000000000", "tlbi 0 0x0"), board.events);
    }

    @Test
    void instructionCacheMaintenanceNamesTheHostLine() {
        registers.sys(SystemOperation.IC_IVAU.key, RAM + 0x1234);
        registers.sys(SystemOperation.IC_IALLUIS.key, 0);

        assertEquals(List.of("code 0x101200", "all code"), board.events);
    }

    @Test
    void cacheMaintenanceOfEl0NeedsUci() {
        board.s.pc = RAM;
        board.el(0);
        assertEquals(0x18, board.esr(() -> registers.sys(SystemOperation.DC_CVAU.key, RAM)) >>> 26);
        assertEquals(UNDEFINED, board.esr(() -> registers.sys(SystemOperation.DC_IVAC.key, RAM)));
        board.el(1);
        registers.write(SCTLR, SCTLR_RESET | 1 << 26);
        board.el(0);
        registers.sys(SystemOperation.DC_CVAU.key, RAM);
        assertEquals(0x14, registers.read(key(3, 3, 0, 0, 7)), "DCZID_EL0.DZP without SCTLR_EL1.DZE");
    }

    @Test
    void addressTranslationWritesPar() {
        registers.sys(SystemOperation.AT_S1E1R.key, RAM + 0x1234);
        assertEquals(RAM + 0x1000 | 0x900, registers.read(PAR));
    }

    @Test
    void slotOfAKeyWithoutTheUpperBitOfOp0IsTheSame() {
        assertEquals(registers.slot(VBAR), registers.slot(VBAR & 0x7FFF));
    }
}
