package gunyah.hyp;

import java.util.List;

/**
 * A vCPU for crash reports and people. Exact while it does not execute, else of some recent moment.
 *
 * @param name       for people, {@code vm-3/vcpu-0}
 * @param state      what it is doing
 * @param blocks     what it waits for, empty when runnable
 * @param mpidr      MPIDR_EL1
 * @param pc         next instruction
 * @param x          X0..X30
 * @param sp         current stack pointer
 * @param pstate     in SPSR_EL1 format
 * @param el         exception level
 * @param esr        ESR_EL1
 * @param far        FAR_EL1
 * @param elr        ELR_EL1
 * @param instruction text of the instruction at {@code pc}, empty when it cannot be read
 * @param lastExits  newest last
 * @param failure    why the hypervisor stopped it, empty when it did not
 */
public record VcpuDescription(String name, String state, List<String> blocks, long mpidr, long pc, List<Long> x,
        long sp, long pstate, int el, long esr, long far, long elr, String instruction, List<String> lastExits,
        String failure) {
}
