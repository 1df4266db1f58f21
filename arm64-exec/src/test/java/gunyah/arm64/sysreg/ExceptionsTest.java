package gunyah.arm64.sysreg;

import static gunyah.arm64.SystemBoard.ELR;
import static gunyah.arm64.SystemBoard.ESR;
import static gunyah.arm64.SystemBoard.FAR;
import static gunyah.arm64.SystemBoard.RAM;
import static gunyah.arm64.SystemBoard.SCTLR;
import static gunyah.arm64.SystemBoard.SCTLR_RESET;
import static gunyah.arm64.SystemBoard.SPSR;
import static gunyah.arm64.SystemBoard.TCR;
import static gunyah.arm64.SystemBoard.TCR_48;
import static gunyah.arm64.SystemBoard.VBAR;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gunyah.arm64.SystemBoard;
import gunyah.arm64.state.CpuState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ExceptionsTest {
    private static final long VECTORS = 0xFFFF_8000_0001_0800L;

    private final SystemBoard board = new SystemBoard();
    private final CpuState s = board.s;
    private final SystemRegisters registers = board.registers;
    private final Exceptions exceptions = board.exceptions;

    @BeforeEach
    void prepare() {
        registers.write(VBAR, VECTORS);
        s.pc = 0x40_1000;
        s.x[CpuState.SP] = 0x1111;
        s.spEl0 = 0x2222;
    }

    @AfterEach
    void close() {
        board.close();
    }

    @Test
    void svcFromEl0SavesStateAndEntersTheLowerLevelVector() {
        board.el(0);
        s.daif = 0;
        s.nzcv = CpuState.N | CpuState.C;
        s.uao = true;
        s.btype = 3;

        exceptions.supervisorCall(0x12);

        assertEquals(VECTORS + 0x400, s.pc);
        assertEquals(0x40_1004, registers.read(ELR));
        assertEquals(0xA080_0C00L, registers.read(SPSR));
        assertEquals(0x5600_0012, registers.read(ESR));
        assertEquals(1, s.el);
        assertEquals(1, s.spSel);
        assertEquals(0x1111, s.x[CpuState.SP]);
        assertEquals(0x2222, s.readSpEl0());
        assertEquals(0x3C0, s.daif);
        assertFalse(s.uao);
        assertEquals(0, s.btype);
    }

    @Test
    void vectorDependsOnTheStackInUse() {
        exceptions.takeIrq();
        assertEquals(VECTORS + 0x280, s.pc);
        registers.writePstate(0, 5, 0);
        exceptions.takeFiq();
        assertEquals(VECTORS + 0x100, s.pc);
        board.el(0);
        exceptions.takeSerror(0x55);
        assertEquals(VECTORS + 0x580, s.pc);
        assertEquals(0xBE00_0055L, registers.read(ESR));
    }

    @Test
    void panIsSetOnEntryUnlessSpanForbidsIt() {
        exceptions.takeIrq();
        assertFalse(s.pan);
        registers.write(SCTLR, SCTLR_RESET & ~(1L << 23));
        exceptions.takeIrq();
        assertTrue(s.pan);
    }

    @Test
    void abortsNameTheLevelTheyComeFrom() {
        exceptions.takeAbort(board.fault(() -> board.mmu.write8(1L << 36, 0)));
        assertEquals(0x9600_0040L, registers.read(ESR));
        assertEquals(1L << 36, registers.read(FAR));
        assertEquals(0x40_1000, registers.read(ELR));

        board.el(0);
        exceptions.takeAbort(board.fault(() -> board.mmu.read8(1L << 36)));
        assertEquals(0x9200_0000L, registers.read(ESR));
        exceptions.takeAbort(board.fault(() -> board.mmu.hostForFetch(1L << 37)));
        assertEquals(0x8600_0000L, registers.read(ESR));
        board.el(0);
        exceptions.injectAbort(RAM, true, 0x10);
        assertEquals(0x8200_0010L, registers.read(ESR));
    }

    @Test
    void otherSynchronousExceptionsHaveTheirClass() {
        exceptions.takeAbort(board.fault(() -> board.mmu.hostForFetch(0x1002)));
        assertEquals(0x8A00_0000L, registers.read(ESR));
        assertEquals(0x1002, registers.read(FAR));
        exceptions.illegalState();
        assertEquals(0x3A00_0000L, registers.read(ESR));
        exceptions.breakpointInstruction(0x800);
        assertEquals(0xF200_0800L, registers.read(ESR));
        board.undefined.esr = 0x0200_0000;
        exceptions.undefined(board.undefined);
        assertEquals(0x0200_0000L, registers.read(ESR));
    }

    @Test
    void eretRestoresTheInterruptedContext() {
        registers.write(ELR, 0x40_2000);
        registers.write(SPSR, 0x6040_0000 | CpuState.DAIF_D);
        s.exclusiveHost = 5;

        exceptions.eret();

        assertEquals(0x40_2000, s.pc);
        assertEquals(0, s.el);
        assertEquals(0x2222, s.x[CpuState.SP]);
        assertEquals(CpuState.Z | CpuState.C, s.nzcv);
        assertEquals(CpuState.DAIF_D, s.daif);
        assertTrue(s.pan);
        assertEquals(0, s.exclusiveHost);
        assertTrue(s.eventRegister);
    }

    @Test
    void eretToTheSameLevelSelectsTheStack() {
        registers.write(SPSR, 4);
        exceptions.eret();
        assertEquals(1, s.el);
        assertEquals(0x2222, s.x[CpuState.SP]);
    }

    @Test
    void illegalReturnKeepsTheLevelAndSetsIl() {
        for (int mode : new int[] {0x10, 0x8, 0x9, 0x1, 0x6, 0xD}) {
            s.il = false;
            registers.write(ELR, 0x40_3000);
            registers.write(SPSR, 1L << 31 | mode);

            exceptions.eret();

            assertTrue(s.il, "mode " + mode);
            assertEquals(1, s.el);
            assertEquals(1, s.spSel);
            assertEquals(0x40_3000, s.pc);
            assertEquals(CpuState.N, s.nzcv);
        }
        exceptions.illegalState();
        assertFalse(s.il);
        assertEquals(1 << 20, registers.read(SPSR) & 1 << 20);
    }

    @Test
    void returnAddressLosesAnIgnoredTopByte() {
        registers.write(TCR, TCR_48 | 1L << 37);
        registers.write(ELR, 0xAB00_0000_0040_0000L);
        registers.write(SPSR, 0);
        exceptions.eret();
        assertEquals(0x40_0000, s.pc);
    }

    @Test
    void entryAndReturnSwitchTheRightsOfAccesses() {
        long root = board.newTable();
        board.map(root, 0x40_0000, RAM, SystemBoard.PAGE);
        board.enable(root, root);
        assertEquals(0, board.mmu.read8(0x40_0000));
        registers.write(SPSR, 0);
        exceptions.eret();
        assertEquals(0x0F, board.stage1Iss(() -> board.mmu.read8(0x40_0000)));
        exceptions.supervisorCall(0);
        assertEquals(0, board.mmu.read8(0x40_0000));
    }
}
