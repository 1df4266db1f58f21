package gunyah.hyp.vcpu;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.Dispatchers;
import gunyah.hyp.KernelObject;
import gunyah.hyp.VcpuDescription;
import java.util.HashMap;
import java.util.List;
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

    /** A kernel object's actor failed: the VMs that depend on it end. */
    public record ObjectBroke(KernelObject object, String reason) implements Command {
    }

    private final ActorContext<Command> context;
    private final Casualties casualties;
    private final Map<String, ActorRef<Start>> vms = new HashMap<>();

    private VcpuSupervisor(ActorContext<Command> context, Casualties casualties) {
        this.context = context;
        this.casualties = casualties;
    }

    /** @param casualties finds the VMs that end with a kernel object */
    public static Behavior<Command> create(Casualties casualties) {
        return Behaviors.setup(context -> {
            VcpuSupervisor supervisor = new VcpuSupervisor(context, casualties);
            return unstoppable(Behaviors.receive(Command.class)
                    .onMessage(Start.class, supervisor::onStart)
                    .onMessage(ObjectBroke.class, supervisor::onObjectBroke)
                    .build());
        });
    }

    /** A parent that stops takes all its children with it, whoever failed. */
    private static <T> Behavior<T> unstoppable(Behavior<T> parent) {
        return Behaviors.supervise(parent).onFailure(RuntimeException.class, SupervisorStrategy.resume());
    }

    private Behavior<Command> onStart(Start start) {
        String name = "vm-" + start.vcpu().addrspace().vmid();
        vms.computeIfAbsent(name, vm -> context.spawn(VmParent.create(), vm)).tell(start);
        return Behaviors.same();
    }

    private Behavior<Command> onObjectBroke(ObjectBroke broke) {
        List<Vcpu> concerned = casualties.of(broke.object());
        context.getLog().error("{}; it stops {}", broke.reason(), concerned);
        concerned.forEach(vcpu -> vcpu.fail(broke.reason()));
        return Behaviors.same();
    }

    /** Parent of one VM's vCPUs. */
    private static final class VmParent {
        private final ActorContext<Start> context;
        private final Map<ActorRef<Void>, Start> vcpus = new HashMap<>();
        private int generation;

        private VmParent(ActorContext<Start> context) {
            this.context = context;
        }

        static Behavior<Start> create() {
            return Behaviors.setup(context -> {
                VmParent parent = new VmParent(context);
                return unstoppable(Behaviors.receive(Start.class)
                        .onMessage(Start.class, parent::onStart)
                        .onSignal(ChildFailed.class, parent::onFailed)
                        .onSignal(Terminated.class, parent::onTerminated)
                        .build());
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
            vcpus.put(actor.unsafeUpcast(), start);
            context.watch(actor);
            vcpu.started(actor);
            return Behaviors.same();
        }

        private Behavior<Start> onFailed(ChildFailed failed) {
            Start start = vcpus.remove(failed.getRef());
            if (start != null) {
                Vcpu vcpu = start.vcpu();
                // Its actor may have failed before there was one that could tell.
                start.onStopped().run();
                vcpu.abandoned("its actor failed: " + failed.getCause());
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
