package gunyah.runtime;

import akka.actor.typed.ActorSystem;
import akka.japi.Pair;
import akka.stream.ActorAttributes;
import akka.stream.BoundedSourceQueue;
import akka.stream.IOResult;
import akka.stream.QueueOfferResult;
import akka.stream.javadsl.Keep;
import akka.stream.javadsl.Source;
import akka.stream.javadsl.StreamConverters;
import akka.util.ByteString;
import gunyah.config.BadInput;
import gunyah.hyp.Dispatchers;
import gunyah.hyp.TraceSink;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.VmState;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * The trace of a machine as a file of JSON lines. Events come from any thread and go through a bounded queue to a
 * stream that writes them in large pieces; nobody ever waits for it: an event that finds the queue full is counted,
 * and the last line says how many. Thread safe.
 */
final class TraceFile implements TraceSink, RmTrace {
    private static final int QUEUED_EVENTS = 1 << 16;
    private static final int EVENTS_PER_WRITE = 2048;
    private static final String ABOUT_A_VM = "u16 vmid";

    private final LongSupplier clock;
    private final long startNs;
    private final LongAdder events = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final BoundedSourceQueue<TraceEvent> queue;
    private final CompletionStage<IOResult> written;

    /**
     * @param system runs the stream
     * @param clock  monotonic nanoseconds
     * @param file   closed at the end
     */
    TraceFile(ActorSystem<?> system, LongSupplier clock, OutputStream file) {
        this.clock = clock;
        this.startNs = clock.getAsLong();
        // Lazy twice: the last line is made when all others are on their way.
        Pair<BoundedSourceQueue<TraceEvent>, CompletionStage<IOResult>> stream = Source.<TraceEvent>queue(QUEUED_EVENTS)
                .concatLazy(Source.lazySource(() -> Source.<TraceEvent>single(last())))
                .batch(EVENTS_PER_WRITE, event -> append(new StringBuilder(), event), TraceFile::append)
                .map(lines -> ByteString.fromString(lines.toString()))
                .toMat(StreamConverters.fromOutputStream(() -> file)
                        .withAttributes(ActorAttributes.dispatcher(Dispatchers.BLOCKING)), Keep.both())
                .run(system);
        this.queue = stream.first();
        this.written = stream.second();
    }

    /**
     * Creates the file, or empties it.
     *
     * @throws BadInput when it cannot be written
     */
    static OutputStream create(Path file) {
        try {
            return Files.newOutputStream(file);
        } catch (IOException e) {
            throw new BadInput("cannot write the trace file %s: is it a file in a directory you may write?"
                    .formatted(file), e);
        }
    }

    private static StringBuilder append(StringBuilder lines, TraceEvent event) {
        TraceLine.append(lines, event);
        return lines;
    }

    private TraceEvent last() {
        return new TraceEvent.End(now(), events.sum(), dropped.sum());
    }

    /** Takes no more events. {@return completes when all of them are in the file; fails when that cannot be written} */
    CompletionStage<IOResult> close() {
        try {
            queue.complete();
        } catch (IllegalStateException e) {
            // the stream ended before: the file failed, as the result says
        }
        return written;
    }

    private long now() {
        return clock.getAsLong() - startNs;
    }

    private void offer(TraceEvent event) {
        if (queue.offer(event) == QueueOfferResult.enqueued()) {
            events.increment();
        } else {
            dropped.increment();
        }
    }

    @Override
    public void hypercall(int vmid, int vcpu, long pc, String name, long function, long result) {
        offer(new TraceEvent.Hypercall(now(), vmid, vcpu, pc, name, function, result));
    }

    @Override
    public void stage2Fault(int vmid, int vcpu, long pc, long ipa, int access, Fault fault) {
        offer(new TraceEvent.Stage2Fault(now(), vmid, vcpu, pc, ipa, access, fault));
    }

    @Override
    public void idle(int vmid, int vcpu, long pc) {
        offer(new TraceEvent.Idle(now(), vmid, vcpu, pc));
    }

    @Override
    public void power(int vmid, int vcpu, Power change) {
        offer(new TraceEvent.Power(now(), vmid, vcpu, change));
    }

    @Override
    public void virq(int vmid, int vcpu, int intid) {
        offer(new TraceEvent.Virq(now(), vmid, vcpu, intid));
    }

    @Override
    public void answered(int vmid, RmMessage request, Reply reply) {
        offer(new TraceEvent.RmRequest(now(), vmid, request.messageId(), target(request), reply.code()));
    }

    private static int target(RmMessage request) {
        byte[] payload = request.payload();
        boolean names = payload.length >= 2 && MessageId.of(request.messageId())
                .filter(id -> id.layout().startsWith(ABOUT_A_VM)).isPresent();
        return names ? payload[0] & 0xFF | (payload[1] & 0xFF) << 8 : 0;
    }

    @Override
    public void notified(int vmid, MessageId id) {
        offer(new TraceEvent.RmNotification(now(), vmid, id));
    }

    @Override
    public void state(int vmid, VmState state) {
        offer(new TraceEvent.State(now(), vmid, state));
    }

    /** The VM of this id runs under this name. */
    void launched(int vmid, String name) {
        offer(new TraceEvent.Launch(now(), vmid, name));
    }

    /** The VM ended, and its resources are back. */
    void exited(int vmid, String kind, String reason) {
        offer(new TraceEvent.Exit(now(), vmid, kind, reason));
    }
}
