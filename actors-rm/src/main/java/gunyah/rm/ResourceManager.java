package gunyah.rm;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.HandlerSetup;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.RootVm;
import gunyah.hyp.RootVmEnv;
import gunyah.rm.link.Outbox;
import gunyah.rm.link.RpcLink;
import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.memparcel.ParcelBorrowing;
import gunyah.rm.memparcel.ParcelEstate;
import gunyah.rm.memparcel.ParcelServices;
import gunyah.rm.root.InterruptLines;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelEvent;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.vm.Addresses;
import gunyah.rm.vm.Answer;
import gunyah.rm.vm.Connections;
import gunyah.rm.vm.Consoles;
import gunyah.rm.vm.Firmware;
import gunyah.rm.vm.GuestStart;
import gunyah.rm.vm.Interrupts;
import gunyah.rm.vm.Notices;
import gunyah.rm.vm.PrimaryVm;
import gunyah.rm.vm.Turns;
import gunyah.rm.vm.Vdevices;
import gunyah.rm.vm.Vm;
import gunyah.rm.vm.VmConfiguration;
import gunyah.rm.vm.VmLifecycle;
import gunyah.rm.vm.VmQueries;
import gunyah.rm.vm.VmReset;
import gunyah.rm.vm.VmStop;
import gunyah.rm.vm.VmTable;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * The Resource Manager's actor. At boot it makes and starts the primary VM; then it serves requests as interrupts bring
 * them: all that wait in a link, in bounded turns, each to completion, except that what takes long goes on in turns of
 * its own. Runs on the default dispatcher and never blocks. Source: resource-manager.c.
 */
public final class ResourceManager implements Turns {
    /** Packets of one link taken in a turn before others have theirs. */
    private static final int PACKETS_PER_TURN = 64;
    private static final Duration NAP = Duration.ofMillis(2);

    /** Everything that reaches the actor from outside. */
    public sealed interface Command {
    }

    /** An interrupt of the root VM's VIC. */
    public record Interrupt(int intid) implements Command {
    }

    private record Turn(Runnable step) implements Command {
    }

    private final ActorContext<Command> context;
    private final VmTable vms;
    private final Root root;
    private final RmTrace trace;
    private final Outbox outbox = new Outbox();
    private final InterruptLines lines = new InterruptLines();
    private final Recovery recovery;
    private final MessageTable table = new MessageTable();
    private final MessageTable.Services services;

    private ResourceManager(ActorContext<Command> context, Root root, LongSupplier entropy) {
        this.context = context;
        this.root = root;
        this.trace = root.trace();
        this.vms = new VmTable(root);
        Notices notices = new Notices(vms, outbox, trace);
        ParcelServices.Teller teller = (vmid, id, payload) -> notices.tell(vmid, id, payload, true);
        MemParcels parcels = new MemParcels(root, vms::contains);
        ParcelEstate estate = new ParcelEstate(root, parcels, () -> vms.find(Vm.HLOS, RmError.VMID_INVALID), teller);
        ParcelBorrowing borrowing = new ParcelBorrowing(root, parcels, estate, (parcel, vmid) -> teller.tell(
                parcel.owner().vmid(), MessageId.MEM_RELEASED,
                new ParcelEvent(parcel.handle(), vmid, parcel.tagOrZero())));
        Vdevices vdevices = new Vdevices(root, vms);
        Interrupts interrupts = new Interrupts(root, vms, notices, entropy.getAsLong());
        Firmware firmware = new Firmware(parcels);
        VmStop stop = new VmStop(root, notices, this);
        Connections connections = new Connections(lines, this::serve, stop);
        VmReset reset =
                new VmReset(vms, notices, stop, connections, this, vdevices, borrowing, estate, interrupts);
        VmLifecycle life = new VmLifecycle(vms, notices, parcels, stop, reset,
                new GuestStart(root, parcels, borrowing, vdevices, firmware, entropy));
        this.recovery = new Recovery(life, this, root);
        this.services = new MessageTable.Services(life,
                new VmConfiguration(root, notices, parcels, connections, vdevices, firmware),
                new VmQueries(root, vms, notices, vdevices),
                new ParcelServices(parcels, borrowing, teller, vms::waiting), interrupts,
                new Consoles(notices, trace), new Addresses(), firmware);
        Vm hlos = boot(root, connections);
        root.env().hwirqCaps().forEach((number, cap) -> interrupts.give(hlos, number, cap));
    }

    /**
     * The program of the root VM.
     *
     * @param spawn   makes an actor of the behavior on the default dispatcher, named {@code rm}; it restarts itself
     * @param profile limits
     * @param entropy 64 random bits per call
     */
    public static RootVm program(Function<Behavior<Command>, ActorRef<Command>> spawn, RmProfile profile,
            LongSupplier entropy) {
        return program(spawn, profile, entropy, RmTrace.NONE);
    }

    /** As above with a listener. */
    public static RootVm program(Function<Behavior<Command>, ActorRef<Command>> spawn, RmProfile profile,
            LongSupplier entropy, RmTrace trace) {
        return (port, env) -> spawn.apply(create(port, env, profile, entropy, trace));
    }

    /** A turn that fails by a defect of ours restarts the actor, which then sets right what the turn left. */
    static Behavior<Command> create(HypercallPort port, RootVmEnv env, RmProfile profile, LongSupplier entropy,
            RmTrace trace) {
        return Behaviors.setup(context -> {
            ActorRef<Command> self = context.getSelf();
            port.onInterrupt(intid -> self.tell(new Interrupt(intid)));
            ResourceManager manager = new ResourceManager(context, new Root(port, env, profile, trace), entropy);
            return Behaviors.supervise(Behaviors.<Command>setup(again -> manager.restarted()))
                    .onFailure(RuntimeException.class, SupervisorStrategy.restart());
        });
    }

    private Vm boot(Root root, Connections connections) {
        PrimaryVm primary = PrimaryVm.create(root, vms);
        Vm hlos = primary.vm();
        RpcLink link = hlos.link().orElseThrow();
        connections.link(hlos, link.queues());
        context.getLog().info("primary VM starts, link to it on {}/{}", link.queues().rootRxVirq(),
                link.queues().rootTxVirq());
        primary.start();
        return hlos;
    }

    private Behavior<Command> running() {
        Function<Command, Behavior<Command>> handler = HandlerSetup.surround(context, this::handle);
        return Behaviors.receiveMessage(command -> {
            recovery.begin(command);
            Behavior<Command> next;
            try {
                next = handler.apply(command);
            } catch (StackOverflowError | AssertionError defect) {
                // To Akka these would be the end of the actor, or worse.
                throw new IllegalStateException(defect.toString(), defect);
            }
            recovery.end();
            return next;
        });
    }

    private Behavior<Command> handle(Command command) {
        switch (command) {
            case Interrupt interrupt -> lines.fire(interrupt.intid);
            case Turn turn -> turn.step.run();
        }
        finish();
        return Behaviors.same();
    }

    private void finish() {
        root.journal().settle();
        root.hypercalls().throwLate();
        outbox.send();
        root.hypercalls().throwLate();
    }

    // Nothing the actor knows is lost with a turn that failed, so a restart only has to set that turn right.
    private Behavior<Command> restarted() {
        recovery.recover(command -> context.getSelf().tell(command));
        return running();
    }

    @Override
    public void next(Runnable step) {
        context.getSelf().tell(new Turn(step));
    }

    @Override
    public void later(Runnable step) {
        context.scheduleOnce(NAP, context.getSelf(), new Turn(step));
    }

    // Sends what waits, then takes requests; a client that does not read its answers has its requests left waiting.
    private void serve(Vm client) {
        if (client.link().isEmpty()) {
            return;
        }
        RpcLink link = client.link().get();
        link.send();
        for (int packets = 0; !link.isCongested(); packets++) {
            if (packets == PACKETS_PER_TURN) {
                next(() -> serve(client));
                return;
            }
            if (!link.receive(message -> request(client, link, message))) {
                return;
            }
        }
    }

    private void request(Vm client, RpcLink link, RmMessage message) {
        if (message.type() != PacketType.REQUEST) {
            return;
        }
        Answer answer = recovery.request(reply -> answer(client, link, message, reply));
        table.row(message.messageId()).ifPresentOrElse(
                row -> row.serve(services, vms, client, message.payload(), answer, recovery::about),
                () -> answer.send(Reply.of(RmError.UNIMPLEMENTED)));
        finish();
    }

    private void answer(Vm client, RpcLink link, RmMessage request, Reply reply) {
        trace.answered(client.vmid(), request, reply);
        link.reply(request, reply);
        outbox.add(link);
    }
}
