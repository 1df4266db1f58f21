package gunyah.hyp;

/**
 * The program of the root VM, supplied by the wiring: the hypervisor starts it once everything it needs exists. It
 * must return quickly (spawn an actor) and does its work through the port only.
 */
@FunctionalInterface
public interface RootVm {
    void boot(HypercallPort port, RootVmEnv env);
}
