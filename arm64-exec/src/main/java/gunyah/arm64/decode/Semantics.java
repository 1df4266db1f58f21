package gunyah.arm64.decode;

import gunyah.arm64.Cpu;

/**
 * The meaning of one instruction row: executes a decoded instruction on a CPU. {@code cpu.s.pc} is the instruction's
 * own address during the call; the engine adds 4 afterwards unless the row says it {@linkplain InstructionRow#branches
 * branches} (then the method sets the PC itself in every case). Registers are written only after every access of the
 * instruction succeeded, because an {@link gunyah.arm64.state.Abort} restarts it.
 */
@FunctionalInterface
public interface Semantics {
    void execute(Cpu cpu, Insn insn);
}
