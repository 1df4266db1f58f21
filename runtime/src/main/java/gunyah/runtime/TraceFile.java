package gunyah.runtime;

import gunyah.config.BadInput;
import gunyah.hyp.trace.TraceBuffer;
import gunyah.hyp.trace.TraceReader;
import gunyah.hyp.trace.TraceRecord;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.VmState;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * The trace of a machine as a file. Whoever does something writes into the rings of {@link #buffer}; one thread takes it
 * out some hundred times a second and writes it, and nobody ever waits for that thread: what it is too slow for is
 * overwritten, counted, and told at the end. Thread safe.
 */
final class TraceFile implements RmTrace {
    private static final long PAUSE_NS = 5_000_000;
    private static final int PIECE = 1 << 16;
    private static final String CHROME_SUFFIX = ".json";
    private static final String ABOUT_A_VM = "u16 vmid";

    private final TraceBuffer buffer;
    private final TraceReader reader;
    private final TraceFormat format;
    private final LongSupplier clock;
    private final long startNs;
    private final OutputStream file;
    private final CompletableFuture<Void> written = new CompletableFuture<>();
    private final Thread writer;
    private final StringBuilder text = new StringBuilder();
    private long events;
    private volatile boolean closing;

    /**
     * @param pcpus physical CPUs of the machine
     * @param clock monotonic nanoseconds
     * @param file  closed at the end
     */
    TraceFile(int pcpus, LongSupplier clock, OutputStream file, Function<TraceBuffer, TraceFormat> format) {
        this.clock = clock;
        this.startNs = clock.getAsLong();
        this.file = file;
        this.buffer = new TraceBuffer(pcpus, clock);
        this.reader = buffer.reader();
        this.format = format.apply(buffer);
        this.writer = Thread.ofPlatform().name("trace").daemon().start(this::run);
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

    /** {@return the form that a file of this name has} */
    static Function<TraceBuffer, TraceFormat> format(Path file) {
        return file.toString().endsWith(CHROME_SUFFIX) ? ChromeTrace::new : JsonLines::new;
    }

    /** {@return where the machine writes} */
    TraceBuffer buffer() {
        return buffer;
    }

    /** Nobody writes any more. {@return completes when everything is in the file; fails when that cannot be written} */
    CompletionStage<Void> close() {
        closing = true;
        LockSupport.unpark(writer);
        return written;
    }

    private void run() {
        try (file) {
            format.begin(text);
            boolean last;
            do {
                last = closing;
                int found = reader.read(last, this::take);
                flush();
                if (!last && found == 0) {
                    LockSupport.parkNanos(this, PAUSE_NS);
                }
            } while (!last);
            format.end(text, clock.getAsLong() - startNs, events, reader.lost());
            flush();
        } catch (IOException | RuntimeException e) {
            written.completeExceptionally(e instanceof UncheckedIOException wrapped ? wrapped.getCause() : e);
            return;
        }
        written.complete(null);
    }

    private void take(TraceRecord event) {
        events++;
        format.event(text, event);
        if (text.length() >= PIECE) {
            flush();
        }
    }

    private void flush() {
        try {
            file.write(text.toString().getBytes(StandardCharsets.UTF_8));
            file.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        text.setLength(0);
    }

    @Override
    public void answered(int vmid, RmMessage request, Reply reply) {
        write(MachineEvent.RM_REQUEST, vmid, request.messageId() & 0xFFFF_FFFFL, target(request), reply.code());
    }

    private static int target(RmMessage request) {
        byte[] payload = request.payload();
        boolean names = payload.length >= 2 && MessageId.of(request.messageId())
                .filter(id -> id.layout().startsWith(ABOUT_A_VM)).isPresent();
        return names ? payload[0] & 0xFF | (payload[1] & 0xFF) << 8 : 0;
    }

    @Override
    public void notified(int vmid, MessageId id) {
        write(MachineEvent.RM_NOTIFICATION, vmid, id.id() & 0xFFFF_FFFFL, 0, 0);
    }

    @Override
    public void state(int vmid, VmState state) {
        write(MachineEvent.VM_STATE, vmid, state.ordinal(), 0, 0);
    }

    /** The VM of this id runs under this name. */
    void launched(int vmid, String name) {
        write(MachineEvent.LAUNCH, vmid, buffer.note(name), 0, 0);
    }

    /** The VM ended, and its resources are back. */
    void exited(int vmid, String kind, String reason) {
        write(MachineEvent.EXIT, vmid, buffer.note(kind), buffer.note(reason), 0);
    }

    private void write(MachineEvent event, int vmid, long a, long b, long c) {
        buffer.foreign(event.kind(), vmid, a, b, c);
    }
}
