package gunyah.arm64.translate;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;

/** Makes the gate of each CPU whose code is translated: how tests and proofs come between the tiers. Thread safe. */
public interface RegionGates {
    /** Regions run whenever there is one. */
    RegionGates OPEN = cpu -> null;

    /** {@return what is asked before {@code cpu} runs a region, null for nothing} */
    RegionGate of(Cpu cpu);

    /** {@return what is translated in the place of {@code insn}} */
    default Insn prepare(Insn insn) {
        return insn;
    }
}
