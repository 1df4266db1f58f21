package gunyah.arm64.semantics;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.Tier;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.translate.Translator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Hand-checked words of what the comparison with QEMU leaves out: branches, PC-relative addresses, PSTATE. */
@ParameterizedClass
@EnumSource(Tier.class)
class BranchWordsTest {
    private static final long PC = 0x40FFC;
    private static final int Z = CpuState.Z;
    private static final int C = CpuState.C;

    @Parameter
    private Tier tier;
    private Translator translator;
    private FlatBoard board;
    private Cpu cpu;

    @BeforeEach
    void setUp() {
        translator = tier.translator();
        board = new FlatBoard(2 << 20, 1, translator);
        board.fillWithStops();
        cpu = board.cpu();
    }

    @AfterEach
    void tearDown() {
        board.close();
        tier.agrees(translator);
    }

    /** Executes the word at {@link #PC} by the tier and by its semantics, which must agree on the new PC. */
    private long pcAfter(int word, long x3, int nzcv) {
        cpu.s.nzcv = nzcv;
        cpu.x[3] = x3;
        cpu.x[30] = 0x3000;
        board.execute(PC, word);
        if (tier != Tier.INTERPRETED) {
            assertThat(translator.statistics().regions()).as("translated").isPositive();
        }
        long executed = cpu.s.pc;
        long link = cpu.x[30];

        Insn insn = Decoder.of(CpuFeatures.DEFAULT).decode(word);
        cpu.s.pc = PC;
        cpu.x[30] = 0x3000;
        insn.semantics.execute(cpu, insn);
        assertThat(insn.row.branches()).isTrue();
        assertThat(cpu.s.pc).as("semantics of %08x", word).isEqualTo(executed);
        assertThat(cpu.x[30]).isEqualTo(link);
        return executed;
    }

    @Test
    void immediateBranches() {
        assertThat(pcAfter(0x140001FF, 0, 0)).isEqualTo(PC + 0x7FC); // b .+0x7fc
        assertThat(pcAfter(0x17FFFC00, 0, 0)).isEqualTo(PC - 0x1000); // b .-0x1000
        assertThat(pcAfter(0x16000000, 0, 0)).isEqualTo(PC - 0x800_0000); // b .-128M
        assertThat(pcAfter(0x94000002, 0, 0)).isEqualTo(PC + 8); // bl .+8
        assertThat(cpu.x[30]).isEqualTo(PC + 4);
    }

    @Test
    void conditionalBranches() {
        assertThat(pcAfter(0x54000080, 0, Z)).isEqualTo(PC + 16); // b.eq .+16
        assertThat(pcAfter(0x54000080, 0, C)).isEqualTo(PC + 4);
        assertThat(pcAfter(0x54FFFFC1, 0, 0)).isEqualTo(PC - 8); // b.ne .-8
        assertThat(pcAfter(0x54FFFFC1, 0, Z)).isEqualTo(PC + 4);
        assertThat(pcAfter(0x547FFFE2, 0, C)).isEqualTo(PC + 0xFFFFC); // b.hs .+0xffffc
        assertThat(pcAfter(0x5400004F, 0, 0)).isEqualTo(PC + 8); // b.nv .+8 is always
    }

    @Test
    void everyConditionFollowsItsDefinition() {
        for (int flags = 0; flags < 16; flags++) {
            boolean n = (flags & 8) != 0;
            boolean z = (flags & 4) != 0;
            boolean c = (flags & 2) != 0;
            boolean v = (flags & 1) != 0;
            boolean[] holds = {z, !z, c, !c, n, !n, v, !v, c && !z, !(c && !z), n == v, n != v, !z && n == v,
                !(!z && n == v), true, true};
            for (int condition = 0; condition < 16; condition++) {
                assertThat(Flags.holds(Flags.set(condition), flags << 28)).as("condition %d, NZCV %d", condition, flags)
                        .isEqualTo(holds[condition]);
            }
        }
    }

    @Test
    void compareAndTestBranches() {
        assertThat(pcAfter(0x34000043, 1L << 32, 0)).isEqualTo(PC + 8); // cbz w3, .+8
        assertThat(pcAfter(0xB4000043, 1L << 32, 0)).isEqualTo(PC + 4); // cbz x3, .+8
        assertThat(pcAfter(0x35000043, 1L << 32, 0)).isEqualTo(PC + 4); // cbnz w3, .+8
        assertThat(pcAfter(0xB6F80043, 1L << 63, 0)).isEqualTo(PC + 4); // tbz x3, #63, .+8
        assertThat(pcAfter(0xB6F80043, 1, 0)).isEqualTo(PC + 8);
        assertThat(pcAfter(0x372FFFE3, 32, 0)).isEqualTo(PC - 4); // tbnz w3, #5, .-4
    }

    @Test
    void registerBranches() {
        assertThat(pcAfter(0xD61F0060, 0x7000, 0)).isEqualTo(0x7000); // br x3
        assertThat(pcAfter(0xD65F03C0, 0x7000, 0)).isEqualTo(0x3000); // ret
        assertThat(pcAfter(0xD65F0060, 0x7000, 0)).isEqualTo(0x7000); // ret x3
        assertThat(pcAfter(0xD63F03C0, 0x7000, 0)).isEqualTo(0x3000); // blr x30 jumps to the old x30
        assertThat(cpu.x[30]).isEqualTo(PC + 4);
    }

    @Test
    void pcRelativeAddresses() {
        board.execute(PC, 0x70FFFFE4); // adr x4, .-1
        assertThat(cpu.x[4]).isEqualTo(PC - 1);

        board.execute(PC, 0xF0FFFFE5); // adrp x5, .-4096
        assertThat(cpu.x[5]).isEqualTo(0x3F000);
    }

    @Test
    void pstateFields() {
        int[] words = {0xD50040BF, // msr spsel, #0
            0xD5384244, // mrs x4, currentel
            0xD5034FDF, // msr daifset, #0xf
            0xD50342FF, // msr daifclr, #2
            0xD500401F, // cfinv
            0xD53B4205}; // mrs x5, nzcv
        cpu.s.nzcv = Z;
        cpu.x[CpuState.SP] = 0x1230;
        for (int word : words) {
            board.execute(PC, word);
        }

        assertThat(cpu.s.spSel).isZero();
        assertThat(cpu.s.spEl1).isEqualTo(0x1230);
        assertThat(cpu.x[4]).isEqualTo(4);
        assertThat(cpu.s.daif).isEqualTo(0x340);
        assertThat(cpu.x[5]).isEqualTo(0x6000_0000L);
    }

    @Test
    void absentExtensionsAreUndefined() {
        for (int word : new int[] {0xDAC10064, // pacia x4, x3
            0x9AC53064, // pacga x4, x3, x5
            0xD65F0BFF, // retaa
            0xD4400000, // hlt #0
            0xD4A00001}) { // dcps1
            assertThat(Decoder.of(CpuFeatures.DEFAULT).decode(word).row).as("%08x", word)
                    .isSameAs(Decoder.UNALLOCATED);
        }
    }
}
