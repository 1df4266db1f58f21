package gunyah.arm64.fp;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Semantics;
import java.util.List;
import java.util.stream.Stream;

/**
 * Every SIMD and floating-point row of the A64 table. In all of them {@code rd rn rm ra} are V register numbers 0..31
 * for V operands and indexes of {@code CpuState.x} for general registers.
 *
 * <p>A row's meaning starts with the check every such instruction shares (Arm ARM, CheckFPAdvSIMDEnabled64): while
 * {@link gunyah.arm64.state.CpuState#fpTrapped} holds, the instruction takes the exception of EC 0x07 instead. An
 * engine that executes a row by other means than its semantics must make the same check.
 */
public final class FpRows {
    /** ESR_EL1 of a trapped SIMD or FP instruction: EC 0x07, IL, CV = 1, COND = 0xE. */
    public static final long TRAP_ESR = 0x1FE0_0000L;

    /** The rows, in the order of the encoding groups. */
    public static final List<InstructionRow> ROWS = Stream.of(SimdLoadStore.ROWS, StructureLoadStore.ROWS,
            SimdCopy.ROWS, ModifiedImmediate.ROWS, Permute.ROWS, ThreeSame.ROWS, ThreeDifferent.ROWS, TwoRegMisc.ROWS,
            AcrossLanes.ROWS, ShiftImmediate.ROWS, ByElement.ROWS, SimdFp.ROWS, SimdFpMisc.ROWS, ScalarFp.ROWS,
            FpIntegerConversion.ROWS, ComplexFp.ROWS, WideningFp.ROWS, BFloat.ROWS, MatrixInteger.ROWS, CryptoAes.ROWS,
            CryptoSha.ROWS, CryptoSha512.ROWS)
            .flatMap(List::stream).map(FpRows::checked).toList();

    private FpRows() {
    }

    private static InstructionRow checked(InstructionRow row) {
        return new InstructionRow(row.name(), row.pattern(), row.feature(), row.op(), row.branches(), row.fields(),
                new Checked(row.semantics()));
    }

    private record Checked(Semantics meaning) implements Semantics {
        @Override
        public void execute(Cpu cpu, Insn insn) {
            if (cpu.s.fpTrapped) {
                throw cpu.trap(TRAP_ESR);
            }
            meaning.execute(cpu, insn);
        }
    }
}
