package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.MachineState;
import gunyah.hyp.RootVm;
import gunyah.hyp.VcpuWork;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * The real hypervisor and Resource Manager under a primary VM in Java that speaks RPC packets through its true queues.
 * Thread safe: any number of requests may be under way.
 */
final class RealHost implements AutoCloseable {
    /** Where packets pass through the primary VM's memory. */
    private static final long BUFFER = 0x4220_0000L;
    private static final long OUTBOX = BUFFER + 0x1000;
    private static final int SEND = 0x1b;
    private static final int RECEIVE = 0x1c;
    private static final int FULL = 61;
    static final long LIMIT_SECONDS = Long.getLong("gunyah.rm.limit-seconds", 120);
    private static final int VCPU_RUN = 0x65;

    final ActorTestKit kit = ActorTestKit.create("rm-real-host", ConfigFactory.load());
    final Hypervisor hypervisor;
    final HypercallPort port;
    private final List<RmMessage> notifications = new ArrayList<>();
    private final List<RmMessage> told = new ArrayList<>();
    private final Map<Integer, CompletableFuture<Reply>> waiting = new ConcurrentHashMap<>();
    /** One for each interrupt, which the receiver runs before it looks into its queue. */
    private final BlockingQueue<Runnable> interrupts = new LinkedBlockingQueue<>();
    /** Every line that has fired. */
    final Set<Integer> fired = ConcurrentHashMap.newKeySet();
    /** What the primary VM was told last of each VM. */
    private final Map<Integer, VmState> states = new ConcurrentHashMap<>();
    private final Map<Integer, VmExited> exits = new ConcurrentHashMap<>();
    private final Semaphore room = new Semaphore(0);
    private final Thread receiver = new Thread(this::receive, "host-receiver");
    private final Reassembler reassembler = new Reassembler();
    private final Cpu cpu = new Cpu();
    private final IdleWatch watch = new IdleWatch();
    private ActorRef<ResourceManager.Command> manager;
    private final long tx;
    private final long rx;
    private int sequence;

    /** A request was answered with an error. */
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;
        final transient RmError error;

        Refused(MessageId id, RmError error) {
            super(id + " was answered " + error);
            this.error = error;
        }
    }

    /** A VM was to do something and has ended meanwhile. */
    static final class Ended extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Ended(int vmid) {
            super("VM %d has ended".formatted(vmid));
        }
    }

    /** With what a vCPU of the primary VM begins. */
    record Boot(int index, long entry, long x0) {
    }

    /** The primary VM's vCPU 0, which runs vCPUs of others, makes calls and does nothing else. */
    private static final class Cpu implements VcpuWork {
        private final BlockingQueue<Boot> boots = new LinkedBlockingQueue<>();
        private final CompletableFuture<Context> booted = new CompletableFuture<>();
        private final CompletableFuture<Long> tree = new CompletableFuture<>();
        private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

        @Override
        public void boot(Context context, long entry, long x0) {
            boots.add(new Boot(context.index(), entry, x0));
            if (context.index() == 0) {
                tree.complete(x0);
                booted.complete(context);
            }
        }

        @Override
        public Result run(Context context) {
            Runnable task = context.index() == 0 ? tasks.poll() : null;
            if (task == null) {
                return Result.IDLE;
            }
            task.run();
            return Result.MORE;
        }
    }

    RealHost(int pcpus, long memoryBytes) {
        this(pcpus, memoryBytes, RmProfile.large(), RmTrace.NONE, UnaryOperator.identity());
    }

    /** @param between what the Resource Manager makes its hypercalls through, given the true port */
    RealHost(int pcpus, long memoryBytes, RmProfile profile, RmTrace trace, UnaryOperator<HypercallPort> between) {
        RootVm program = ResourceManager.program(behavior -> {
            manager = kit.spawn(Behaviors.intercept(() -> watch, behavior), "rm");
            return manager;
        }, profile, () -> 42, trace);
        hypervisor = Hypervisor.start(kit.system(), new MachineConfig(pcpus, memoryBytes, 5_000_000), System::nanoTime,
                (vmid, index) -> vmid == 3 ? Optional.of(cpu) : Optional.empty(),
                (own, env) -> program.boot(between.apply(own), env));
        port = await(cpu.booted).port();
        port.onInterrupt(intid -> {
            fired.add(intid);
            interrupts.add(() -> { });
        });
        byte[] blob = new byte[0x1_0000];
        port.read(tree(), blob, 0, blob.length);
        int[] reg = Fdt.parse(blob).root().find("/hypervisor/gunyah-resource-mgr").orElseThrow().cells("reg")
                .orElseThrow();
        tx = DtNode.number(reg, 0, 2);
        rx = DtNode.number(reg, 2, 2);
        receiver.setDaemon(true);
        receiver.start();
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * {@return the object model once nothing moves in it: the Resource Manager looks into a queue once more when it has
     * answered what was in it, and so does the primary VM}
     */
    MachineState atRest() {
        MachineState state = hypervisor.state();
        long turns = turns();
        // many looks: who has something left to do may wait for a processor of a busy machine
        for (int same = 0; same < 10;) {
            MachineState next = hypervisor.state();
            long nextTurns = turns();
            same = next.equals(state) && nextTurns == turns ? same + 1 : 0;
            state = next;
            turns = nextTurns;
        }
        return state;
    }

    /** {@return turns of the Resource Manager, when it and the receiver have done all that they had to} */
    private long turns() {
        CompletableFuture<Void> received = new CompletableFuture<>();
        interrupts.add(() -> received.complete(null));
        await(received);
        synchronized (watch) {
            CompletableFuture<Long> turns = watch.ask();
            manager.tell(IdleWatch.QUESTION);
            return await(turns);
        }
    }

    /** Waits until the line has fired: who raises it does not wait for that. */
    void awaitFired(int line) {
        long deadline = System.nanoTime() + LIMIT_SECONDS * 1_000_000_000L;
        while (!fired.contains(line) && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(fired).contains(line);
    }

    /** Waits until the object model is as it was. */
    void awaitSame(MachineState before, String what) {
        long deadline = System.nanoTime() + LIMIT_SECONDS * 1_000_000_000L;
        List<String> difference = before.difference(hypervisor.state());
        while (!difference.isEmpty() && System.nanoTime() < deadline) {
            Thread.onSpinWait();
            difference = before.difference(hypervisor.state());
        }
        assertThat(difference).as(what).isEmpty();
    }

    @Override
    public void close() {
        receiver.interrupt();
        join(receiver);
        hypervisor.close();
        kit.shutdownTestKit();
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** {@return the registers after a hypercall} */
    long[] call(int number, long... arguments) {
        long[] x = new long[8];
        System.arraycopy(arguments, 0, x, 0, arguments.length);
        port.call(number, x);
        return x;
    }

    /** {@return where the primary VM's device tree is} */
    long tree() {
        return await(cpu.tree);
    }

    /** {@return the 64 bits the primary VM has at an IPA} */
    long read(long ipa) {
        byte[] bytes = new byte[Long.BYTES];
        port.read(ipa, bytes, 0, bytes.length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    // Either queue's interrupt: there may be messages, or room again.
    private void receive() {
        byte[] packet = new byte[Fragmenter.PACKET_SIZE];
        try {
            while (true) {
                interrupts.take().run();
                for (long[] x = call(RECEIVE, rx, BUFFER, packet.length); x[0] == 0;
                        x = call(RECEIVE, rx, BUFFER, packet.length)) {
                    port.read(BUFFER, packet, 0, (int) x[1]);
                    reassembler.accept(packet, (int) x[1]).ifPresent(this::received);
                }
                room.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void received(RmMessage message) {
        if (message.type() == PacketType.REPLY) {
            // What answers a frame of {@link #post} nobody waits for.
            Optional.ofNullable(waiting.remove(message.sequence()))
                    .ifPresent(reply -> reply.complete(Reply.decode(message.payload())));
            return;
        }
        if (message.messageId() == MessageId.VM_STATUS.id()) {
            VmStatus status = VmStatus.decode(message.payload());
            states.put(status.vmid(), VmState.of(status.state()));
            if (state(status.vmid()) == VmState.READY) {
                // Another life.
                exits.remove(status.vmid());
            }
        } else if (message.messageId() == MessageId.VM_EXITED.id()) {
            VmExited exit = VmExited.decode(message.payload());
            exits.put(exit.vmid(), exit);
        }
        synchronized (notifications) {
            notifications.add(message);
            told.add(message);
            notifications.notifyAll();
        }
    }

    /** Waits for a notification and takes it. */
    RmMessage await(MessageId id, Predicate<byte[]> wanted) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        synchronized (notifications) {
            while (true) {
                Optional<RmMessage> found = notifications.stream()
                        .filter(m -> m.messageId() == id.id() && wanted.test(m.payload())).findFirst();
                if (found.isPresent()) {
                    notifications.remove(found.get());
                    return found.get();
                }
                assertThat(System.nanoTime() - deadline).as(id.name()).isNegative();
                try {
                    notifications.wait(1000);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    Reply request(MessageId id, Payload payload) {
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        synchronized (this) {
            int number = sequence++ & 0xffff;
            waiting.put(number, reply);
            RmMessage message = new RmMessage(PacketType.REQUEST, number, id.id(), payload.encode());
            Fragmenter.split(message).forEach(this::send);
        }
        return await(reply);
    }

    /** Sends one packet, whatever it holds. */
    synchronized void post(byte[] packet) {
        send(packet);
    }

    private void send(byte[] packet) {
        port.write(OUTBOX, packet, 0, packet.length);
        room.drainPermits();
        for (long error = call(SEND, tx, packet.length, OUTBOX, 1)[0]; error != 0;
                error = call(SEND, tx, packet.length, OUTBOX, 1)[0]) {
            assertThat(error).as("msgqueue_send").isEqualTo(FULL);
            try {
                room.tryAcquire(1, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** {@return the reply's body; the request must succeed} */
    byte[] ok(MessageId id, Payload payload) {
        Reply reply = request(id, payload);
        if (reply.code() != 0) {
            throw new Refused(id, reply.error().orElseThrow());
        }
        return reply.body();
    }

    RmError error(MessageId id, Payload payload) {
        return request(id, payload).error().orElseThrow();
    }

    /** {@return the state the primary VM was told last, LOAD when it was told nothing} */
    VmState state(int vmid) {
        return states.getOrDefault(vmid, VmState.LOAD);
    }

    /** {@return why a VM ended, as the primary VM was told} */
    Optional<VmExited> exit(int vmid) {
        return Optional.ofNullable(exits.get(vmid));
    }

    /** {@return every notification in the order it came, whether it was waited for or not} */
    List<RmMessage> told() {
        synchronized (notifications) {
            return List.copyOf(told);
        }
    }

    /** Forgets all that it was told. */
    void forget() {
        synchronized (notifications) {
            notifications.clear();
            told.clear();
        }
        states.clear();
        exits.clear();
    }

    /** {@return the next vCPU of the primary VM that began, in their order} */
    Boot awaitBoot() {
        try {
            return cpu.boots.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** {@return X0 after an SMCCC call that the primary VM's first vCPU makes} */
    long smccc(long function, long... arguments) {
        CompletableFuture<Long> answer = new CompletableFuture<>();
        cpu.tasks.add(() -> {
            long[] x = new long[8];
            x[0] = function;
            System.arraycopy(arguments, 0, x, 1, arguments.length);
            port.smccc(x);
            answer.complete(x[0]);
        });
        await(cpu.booted).wake();
        return await(answer);
    }

    /** {@return what a vCPU stops with, run by the primary VM's first vCPU} */
    long[] run(long vcpu) {
        return await(running(vcpu));
    }

    /** Lets the primary VM's first vCPU run another. {@return what it will stop with} */
    CompletableFuture<long[]> running(long vcpu) {
        CompletableFuture<long[]> stopped = new CompletableFuture<>();
        cpu.tasks.add(() -> runUntilItStops(vcpu, stopped));
        await(cpu.booted).wake();
        return stopped;
    }

    private void runUntilItStops(long vcpu, CompletableFuture<long[]> stopped) {
        long[] x = call(VCPU_RUN, vcpu);
        if (x[0] == 0 && x[1] == 0) {
            cpu.tasks.add(() -> runUntilItStops(vcpu, stopped));
        } else {
            stopped.complete(x);
        }
    }

    void awaitState(int vmid, VmState state) {
        await(MessageId.VM_STATUS, payload -> VmStatus.decode(payload).vmid() == vmid
                && VmState.of(VmStatus.decode(payload).state()) == state);
    }
}
