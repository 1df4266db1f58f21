package gunyah.runtime;

import gunyah.hyp.VcpuDescription;
import java.util.List;

/** The state of a vCPU as a person reads it: registers four to a line, then what it did last. */
final class VcpuReport {
    private static final int REGISTERS_PER_LINE = 4;
    private static final int NAMED = 31;

    private VcpuReport() {
    }

    static String of(List<VcpuDescription> vcpus) {
        StringBuilder text = new StringBuilder();
        vcpus.forEach(vcpu -> append(text, vcpu));
        return text.toString();
    }

    private static void append(StringBuilder text, VcpuDescription vcpu) {
        text.append("%s: %s%s\n".formatted(vcpu.name(), vcpu.state(),
                vcpu.blocks().isEmpty() ? "" : " " + vcpu.blocks()));
        if (!vcpu.failure().isEmpty()) {
            text.append("  failure: %s\n".formatted(vcpu.failure()));
        }
        text.append("  PC 0x%016x EL%d PSTATE 0x%x SP 0x%016x\n".formatted(vcpu.pc(), vcpu.el(), vcpu.pstate(),
                vcpu.sp()));
        if (!vcpu.instruction().isEmpty()) {
            text.append("  at PC: %s\n".formatted(vcpu.instruction()));
        }
        text.append("  ESR_EL1 0x%x FAR_EL1 0x%x ELR_EL1 0x%x MPIDR 0x%x\n".formatted(vcpu.esr(), vcpu.far(),
                vcpu.elr(), vcpu.mpidr()));
        List<Long> x = vcpu.x();
        for (int first = 0; first < Math.min(x.size(), NAMED); first += REGISTERS_PER_LINE) {
            text.append(" ");
            for (int i = first; i < Math.min(first + REGISTERS_PER_LINE, Math.min(x.size(), NAMED)); i++) {
                text.append(" %-3s 0x%016x".formatted("x" + i, x.get(i)));
            }
            text.append('\n');
        }
        if (!vcpu.lastExits().isEmpty()) {
            text.append("  last exits, oldest first:\n");
            vcpu.lastExits().forEach(exit -> text.append("    ").append(exit).append('\n'));
        }
    }
}
