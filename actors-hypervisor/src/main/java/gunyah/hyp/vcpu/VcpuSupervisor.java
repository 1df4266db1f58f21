package gunyah.hyp.vcpu;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.Dispatchers;
import gunyah.hyp.VcpuDescription;
import java.util.HashMap;
import java.util.Map;

/**
 * Parent of all vCPU actors: one child per VM, {@code vm-3}, one grandchild per vCPU, {@code vm-3/vcpu-0}. A vCPU whose
 * actor fails is halted with FAULT and says why; restarting it would resume on lost state. Others go on.
 */
public final class VcpuSupervisor {
    /** What the supervisor is told. */
    public sealed interface Command {
    }

    /** Starts the actor of a vCPU; {@code onStopped} runs when its thread has ended. */
    public record Start(Vcpu vcpu, Runnable onStopped) implements Command {
    }

    private final ActorContext<Command> context;
    private final Map<String, ActorRef<Start>> vms = new HashMap<>();

    private VcpuSupervisor(ActorContext<Command> context) {
        this.context = context;
    }

    public static Behavior<Command> create() {
        return Behaviors.setup(context -> {
            VcpuSupervisor supervisor = new VcpuSupervisor(context);
            return Behaviors.receive(Command.class)
                    .onMessage(Start.class, supervisor::onStart)
                    .build();
        });
    }

    private Behavior<Command> onStart(Start start) {
        String name = "vm-" + start.vcpu().addrspace().vmid();
        vms.computeIfAbsent(name, vm -> context.spawn(VmParent.create(), vm)).tell(start);
        return Behaviors.same();
    }

    /** Parent of one VM's vCPUs. */
    private static final class VmParent {
        private final ActorContext<Start> context;
        private final Map<ActorRef<Void>, Vcpu> vcpus = new HashMap<>();
        private int generation;

        private VmParent(ActorContext<Start> context) {
            this.context = context;
        }

        static Behavior<Start> create() {
            return Behaviors.setup(context -> {
                VmParent parent = new VmParent(context);
                return Behaviors.receive(Start.class)
                        .onMessage(Start.class, parent::onStart)
                        .onSignal(ChildFailed.class, parent::onFailed)
                        .onSignal(Terminated.class, parent::onTerminated)
                        .build();
            });
        }

        private Behavior<Start> onStart(Start start) {
            Vcpu vcpu = start.vcpu();
            String name = "vcpu-" + vcpu.index();
            if (context.getChild(name).isPresent()) {
                // The VMID was given to a new VM before the old one's thread was gone.
                generation++;
                name += "." + generation;
            }
            ActorRef<VcpuActor.Command> actor =
                    context.spawn(VcpuActor.create(vcpu, start.onStopped()), name, Dispatchers.vcpu());
            vcpus.put(actor.unsafeUpcast(), vcpu);
            context.watch(actor);
            vcpu.started(actor);
            return Behaviors.same();
        }

        private Behavior<Start> onFailed(ChildFailed failed) {
            Vcpu vcpu = vcpus.remove(failed.getRef());
            if (vcpu != null) {
                VcpuDescription description = vcpu.describe();
                context.getLog().error("{} failed and is halted: {}", vcpu.name(), description, failed.getCause());
            }
            return Behaviors.same();
        }

        private Behavior<Start> onTerminated(Terminated terminated) {
            vcpus.remove(terminated.getRef());
            return Behaviors.same();
        }
    }
}
