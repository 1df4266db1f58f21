package gunyah.arm64.fp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.Tier;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.translate.Translator;
import gunyah.memory.RawMemory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The table as a whole, and hand-checked words with their assembly text. */
@ParameterizedClass
@EnumSource(Tier.class)
class FpRowsTest {
    private static final long RAM = 1 << 20;
    private static final long CODE = 0x2200;
    private static final long NAN = 0x7FF8_0000_0000_0000L;

    @Parameter
    private Tier tier;
    private Translator translator;
    private FlatBoard board;
    private Cpu cpu;

    @BeforeEach
    void setUp() {
        translator = tier.translator();
        board = new FlatBoard(RAM, 1, translator, CpuFeatures.MAX);
        board.fillWithStops();
        cpu = board.cpu();
        set(1, 0x0011_2233_4455_6677L, 0x8899_AABB_CCDD_EEFFL);
        set(2, 0x090A_0B0C_0D0E_0F10L, 0x0102_0304_0506_0708L);
    }

    @AfterEach
    void tearDown() {
        board.close();
        tier.agrees(translator);
    }

    @Test
    void rowsHave32CharactersUniqueNamesAndNoAmbiguousOverlap() {
        Set<String> names = new HashSet<>();
        List<String> ambiguous = new ArrayList<>();
        int[] masks = FpRows.ROWS.stream().mapToInt(InstructionRow::mask).toArray();
        int[] values = FpRows.ROWS.stream().mapToInt(InstructionRow::value).toArray();
        for (int i = 0; i < masks.length; i++) {
            InstructionRow row = FpRows.ROWS.get(i);
            assertThat(row.pattern()).as(row.name()).matches("[01a-zA-Z]{32}");
            assertThat(names.add(row.name())).as(row.name()).isTrue();
            for (int j = 0; j < i; j++) {
                if (((values[i] ^ values[j]) & masks[i] & masks[j]) == 0
                        && Integer.bitCount(masks[i]) == Integer.bitCount(masks[j])) {
                    ambiguous.add(row.name() + " and " + FpRows.ROWS.get(j).name());
                }
            }
        }
        assertThat(ambiguous).isEmpty();
    }

    @Test
    void everyRowTrapsWhileFpIsTrappedAndChangesNothing() {
        SplittableRandom random = new SplittableRandom(7);
        cpu.s.fpTrapped = true;
        long[] before = cpu.v.clone();
        for (InstructionRow row : FpRows.ROWS) {
            Insn insn = new Insn(row.value() | random.nextInt() & ~row.mask(), row);
            while (!row.fields().decode(insn)) {
                insn = new Insn(row.value() | random.nextInt() & ~row.mask(), row);
            }
            Insn allocated = insn;
            UndefinedInstruction trap = catchThrowableOfType(UndefinedInstruction.class,
                    () -> row.semantics().execute(cpu, allocated));
            assertThat(trap).as(row.name()).isNotNull();
            assertThat(trap.esr).as(row.name()).isEqualTo(0x1FE0_0000L);
        }
        assertThat(cpu.v).isEqualTo(before);
    }

    @Test
    void reservedWordsAreNotDecoded() {
        assertReserved(0x0EE0_8400, "add v0.1d, v0.1d, v0.1d");
        assertReserved(0x0E60_D400, "fadd v0.1d, v0.1d, v0.1d");
        assertReserved(0x2F00_F400, "fmov v0.1d, #2.0");
        assertReserved(0x2E02_4820, "ext v0.8b, v1.8b, v2.8b, #9");
        assertReserved(0x4EF1_B800, "addv d0, v0.2d");
        assertReserved(0x0C40_0C00, "ld4 {v0.1d - v3.1d}, [x0]");
    }

    @Test
    void immediatesAreExpanded() {
        execute(0x4F05_E4A0, "movi v0.16b, #0xa5");
        assertV(0, 0xA5A5_A5A5_A5A5_A5A5L, 0xA5A5_A5A5_A5A5_A5A5L);
        execute(0x2F05_E541, "movi d1, #0xff00ff00ff00ff00");
        assertV(1, 0, 0xFF00_FF00_FF00_FF00L);
        execute(0x6F00_2642, "mvni v2.4s, #0x12, lsl #8");
        assertV(2, 0xFFFF_EDFF_FFFF_EDFFL, 0xFFFF_EDFF_FFFF_EDFFL);
        execute(0x6F07_F703, "fmov v3.2d, #-1.5");
        assertV(3, 0xBFF8_0000_0000_0000L, 0xBFF8_0000_0000_0000L);
        execute(0x1E28_1004, "fmov s4, #0.125");
        assertV(4, 0, 0x3E00_0000L);
    }

    @Test
    void elementsMoveBetweenRegisters() {
        cpu.x[3] = 0x1234_5678L;
        cpu.x[7] = -1;
        execute(0x4E02_0C65, "dup v5.8h, w3");
        assertV(5, 0x5678_5678_5678_5678L, 0x5678_5678_5678_5678L);
        execute(0x4E0E_2C20, "smov x0, v1.h[3]");
        assertThat(cpu.x[0]).isEqualTo(0xFFFF_FFFF_FFFF_8899L);
        execute(0x4E18_1CE2, "mov v2.d[1], x7");
        assertV(2, -1, 0x0102_0304_0506_0708L);
        execute(0x9EAE_0020, "fmov x0, v1.d[1]");
        assertThat(cpu.x[0]).isEqualTo(0x0011_2233_4455_6677L);
        execute(0x9E22_03E0, "scvtf s0, xzr");
        assertV(0, 0, 0);
    }

    @Test
    void permutesPickTheManualsElements() {
        execute(0x6E02_4820, "ext v0.16b, v1.16b, v2.16b, #9");
        assertV(0, 0x1001_0203_0405_0607L, 0x0800_1122_3344_5566L);
        execute(0x4E42_7820, "zip2 v0.8h, v1.8h, v2.8h");
        assertV(0, 0x090A_0011_0B0C_2233L, 0x0D0E_4455_0F10_6677L);
        execute(0x4E82_1820, "uzp1 v0.4s, v1.4s, v2.4s");
        assertV(0, 0x0D0E_0F10_0506_0708L, 0x4455_6677_CCDD_EEFFL);
        set(31, 0x0F0E_0D0C_0B0A_0908L, 0x0706_0504_0302_0100L);
        set(0, 0x1F1E_1D1C_1B1A_1918L, 0x1716_1514_1312_1110L);
        execute(0x4E02_23E0, "tbl v0.16b, {v31.16b, v0.16b}, v2.16b");
        assertV(0, 0x090A_0B0C_0D0E_0F10L, 0x0102_0304_0506_0708L);
    }

    @Test
    void integerLanesKeepToThemselves() {
        execute(0x6EE2_3C20, "cmhs v0.2d, v1.2d, v2.2d");
        assertV(0, 0, -1);
        execute(0x6E22_A420, "umaxp v0.16b, v1.16b, v2.16b");
        assertV(0, 0x0A0C_0E10_0204_0608L, 0x1133_5577_99BB_DDFFL);
        execute(0x0F0C_8420, "shrn v0.8b, v1.8h, #4");
        assertV(0, 0, 0x0123_4567_89AB_CDEFL);
        execute(0x4E31_B820, "addv b0, v1.16b");
        assertV(0, 0, 0xF8);
        assertThat(cpu.s.fpsr).isZero();
    }

    @Test
    void saturationSetsQc() {
        execute(0x2E61_2820, "sqxtun v0.4h, v1.4s");
        assertV(0, 0, 0xFFFF_FFFF_0000_0000L);
        assertThat(cpu.s.fpsr).isEqualTo(1 << 27);
        cpu.s.fpsr = 0;
        set(1, 0, Long.MAX_VALUE);
        execute(0x5EE2_0C20, "sqadd d0, d1, d2");
        assertV(0, 0, Long.MAX_VALUE);
        assertThat(cpu.s.fpsr).isEqualTo(1 << 27);
    }

    @Test
    void additionRoundsAsFpcrSays() {
        set(1, 0, 0x3FF0_0000_0000_0000L);
        set(2, 0, 0x3CA0_0000_0000_0000L);
        execute(0x1E62_2820, "fadd d0, d1, d2");
        assertV(0, 0, 0x3FF0_0000_0000_0000L);
        assertThat(cpu.s.fpsr).isEqualTo(SoftFloat.IXC);
        cpu.s.fpcr = SoftFloat.TO_PLUS << 22;
        execute(0x1E62_2820, "fadd d0, d1, d2");
        assertV(0, 0, 0x3FF0_0000_0000_0001L);
    }

    @Test
    void fusedMultiplyAddRoundsOnce() {
        set(1, 0, 0x3F80_0001L);
        set(2, 0, 0x3F7F_FFFEL);
        set(3, 0, 0xBF80_0000L);
        execute(0x1F02_0C20, "fmadd s0, s1, s2, s3");
        assertV(0, 0, 0xA880_0000L);
        assertThat(cpu.s.fpsr).isZero();
    }

    @Test
    void comparisonWithNaNIsUnordered() {
        set(0, 0, 0x3FF0_0000_0000_0000L);
        set(1, 0, NAN);
        execute(0x1E61_2000, "fcmp d0, d1");
        assertThat(cpu.s.nzcv).isEqualTo(CpuState.C | CpuState.V);
        assertThat(cpu.s.fpsr).isZero();
        execute(0x1E61_2010, "fcmpe d0, d1");
        assertThat(cpu.s.fpsr).isEqualTo(SoftFloat.IOC);
    }

    @Test
    void theFirstSignallingNaNWinsAndIsQuieted() {
        set(1, 0, NAN | 5);
        set(2, 0, 0xFFF0_0000_0000_0007L);
        execute(0x1E62_2820, "fadd d0, d1, d2");
        assertV(0, 0, 0xFFF8_0000_0000_0007L);
        assertThat(cpu.s.fpsr).isEqualTo(SoftFloat.IOC);
        cpu.s.fpcr = SoftFloat.DN;
        execute(0x1E62_2820, "fadd d0, d1, d2");
        assertV(0, 0, NAN);
    }

    @Test
    void conversionsSaturateAndReport() {
        set(1, 0, Double.doubleToRawLongBits(-1e10));
        execute(0x1E78_0020, "fcvtzs w0, d1");
        assertThat(cpu.x[0]).isEqualTo(0x8000_0000L);
        assertThat(cpu.s.fpsr).isEqualTo(SoftFloat.IOC);
        cpu.s.fpsr = 0;
        cpu.x[1] = -1;
        execute(0x9E63_0020, "ucvtf d0, x1");
        assertV(0, 0, 0x43F0_0000_0000_0000L);
        assertThat(cpu.s.fpsr).isEqualTo(SoftFloat.IXC);
        set(1, 0, 0x477F_F000L);
        execute(0x1E23_C020, "fcvt h0, s1");
        assertV(0, 0, 0x7C00);
        assertThat(cpu.s.fpsr).isEqualTo(SoftFloat.OFC | SoftFloat.IXC);
    }

    @Test
    void loadsWriteBackAndInterleave() {
        for (int k = 0; k < 64; k += 8) {
            long bytes = 0x0101_0101_0101_0101L * k + 0x0706_0504_0302_0100L;
            RawMemory.RAW.putLong(board.memory.hostAddress(0x1000 + k), bytes);
        }
        cpu.x[1] = 0xFF0;
        execute(0x3CC1_0C20, "ldr q0, [x1, #16]!");
        assertV(0, 0x0F0E_0D0C_0B0A_0908L, 0x0706_0504_0302_0100L);
        assertThat(cpu.x[1]).isEqualTo(0x1000);
        execute(0x0CDF_043E, "ld4 {v30.4h, v31.4h, v0.4h, v1.4h}, [x1], #32");
        assertV(30, 0, 0x1918_1110_0908_0100L);
        assertV(31, 0, 0x1B1A_1312_0B0A_0302L);
        assertV(0, 0, 0x1D1C_1514_0D0C_0504L);
        assertV(1, 0, 0x1F1E_1716_0F0E_0706L);
        assertThat(cpu.x[1]).isEqualTo(0x1020);
    }

    @Test
    void anAbortedLoadPairChangesNoRegister() {
        cpu.x[1] = RAM + 8;
        int word = 0x6D7F_0420; // ldp d0, d1, [x1, #-16]
        board.code(CODE - 4, 0x1400_0001, word);
        for (int time = 0; time < 4; time++) {
            assertThat(board.run(CODE - 4, Integer.MAX_VALUE)).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
            assertThat(cpu.s.pc).isEqualTo(CODE);
        }
        Insn insn = Decoder.of(CpuFeatures.MAX).decode(word);
        assertThat(catchThrowableOfType(Abort.class, () -> insn.semantics.execute(cpu, insn)).stage2).isTrue();
        assertV(0, 0, 0);
        assertV(1, 0x0011_2233_4455_6677L, 0x8899_AABB_CCDD_EEFFL);
    }

    private void set(int register, long high, long low) {
        cpu.v[2 * register] = low;
        cpu.v[2 * register + 1] = high;
    }

    private void assertV(int register, long high, long low) {
        assertThat("%016x:%016x".formatted(cpu.v[2 * register + 1], cpu.v[2 * register])).as("V%d", register)
                .isEqualTo("%016x:%016x".formatted(high, low));
    }

    private void execute(int word, String assembly) {
        Insn insn = Decoder.of(CpuFeatures.MAX).decode(word);
        assertThat(insn.row).as(assembly).isNotSameAs(Decoder.UNALLOCATED);
        CpuState before = new CpuState();
        before.copyFrom(cpu.s);
        board.execute(CODE, word);
        assertThat(cpu.s.pc).as("%s retires", assembly).isEqualTo(CODE + 4);
        if (tier != Tier.INTERPRETED) {
            assertThat(translator.statistics().regions()).as("translated").isPositive();
        }
        CpuState executed = new CpuState();
        executed.copyFrom(cpu.s);
        cpu.s.copyFrom(before);
        insn.semantics.execute(cpu, insn);
        cpu.s.pc = executed.pc;
        cpu.s.retired = executed.retired;
        assertThat(cpu.s.sameAs(executed)).as("semantics of %s", assembly).isTrue();
    }

    private static void assertReserved(int word, String assembly) {
        assertThat(Decoder.of(CpuFeatures.MAX).decode(word).row).as(assembly).isSameAs(Decoder.UNALLOCATED);
    }
}
