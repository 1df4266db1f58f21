package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceFileTest {
    private static final Pattern END = Pattern.compile("\"event\":\"end\",\"events\":(\\d+),\"dropped\":(\\d+)}");

    private final AtomicLong clock = new AtomicLong(1000);
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private TraceFile trace(OutputStream file) {
        return new TraceFile(1, clock::get, file, JsonLines::new);
    }

    private List<String> closed(TraceFile trace) throws Exception {
        trace.close().toCompletableFuture().get(60, TimeUnit.SECONDS);
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void timeCountsFromTheBeginningAndTheLastLineSaysThatNothingIsMissing() throws Exception {
        TraceFile trace = trace(bytes);
        clock.set(1500);
        trace.buffer().idle(128, 0, 4);
        clock.set(1600);

        assertThat(closed(trace)).containsExactly(
                "{\"t\":500,\"vm\":\"vm-128\",\"vcpu\":0,\"event\":\"wfi\",\"pc\":\"0x4\"}",
                "{\"t\":600,\"event\":\"end\",\"events\":1,\"dropped\":0}");
    }

    @Test
    void aRequestNamesTheVmItIsAboutIfItsLayoutHasOne() throws Exception {
        TraceFile trace = trace(bytes);
        byte[] payload = {(byte) 0x80, 1, 0, 0};

        trace.answered(3, request(MessageId.VM_START, payload), Reply.of(RmError.OK));
        trace.answered(3, request(MessageId.MEM_RECLAIM, payload), Reply.of(RmError.OK));
        trace.answered(3, request(MessageId.VM_START, new byte[1]), Reply.of(RmError.MSG_INVALID));

        List<String> lines = closed(trace);
        assertThat(lines.get(0)).contains("\"target\":\"vm-384\",\"error\":\"OK\"");
        assertThat(lines.get(1)).contains("MEM_RECLAIM").doesNotContain("target");
        assertThat(lines.get(2)).contains("VM_START").doesNotContain("target").contains("MSG_INVALID");
    }

    private static RmMessage request(MessageId id, byte[] payload) {
        return new RmMessage(PacketType.REQUEST, 1, id.id(), payload);
    }

    @Test
    void aSlowFileLosesEventsAndCountsThemButHoldsNobodyUp() throws Exception {
        CountDownLatch open = new CountDownLatch(1);
        TraceFile trace = trace(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] b, int off, int len) throws IOException {
                try {
                    open.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                bytes.write(b, off, len);
            }
        });
        int offered = 600_000;
        for (int i = 0; i < offered; i++) {
            trace.buffer().virq(128, 0, i);
        }
        open.countDown();

        List<String> lines = closed(trace);
        Matcher end = END.matcher(lines.getLast());
        assertThat(end.find()).as(lines.getLast()).isTrue();
        long written = Long.parseLong(end.group(1));
        long dropped = Long.parseLong(end.group(2));
        assertThat(dropped).isPositive();
        assertThat(written + dropped).isEqualTo(offered);
        assertThat(lines).hasSize((int) written + 1);
    }

    @Test
    void aFileThatFailsIsToldAtTheEndOnly() {
        TraceFile trace = trace(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("no space left");
            }
        });
        for (int i = 0; i < 100; i++) {
            trace.buffer().virq(128, 0, i);
        }

        assertThatThrownBy(() -> trace.close().toCompletableFuture().get(60, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class).hasStackTraceContaining("no space left");
        trace.buffer().virq(128, 0, 1);
    }

    @Test
    void theNameOfTheFileDecidesItsForm() {
        assertThat(TraceFile.format(Path.of("t.json")).apply(null)).isInstanceOf(ChromeTrace.class);
        assertThat(TraceFile.format(Path.of("t.jsonl")).apply(null)).isInstanceOf(JsonLines.class);
        assertThat(TraceFile.format(Path.of("trace")).apply(null)).isInstanceOf(JsonLines.class);
    }

    @Test
    void aFileThatCannotBeCreatedIsBadInput(@TempDir Path directory) {
        assertThatThrownBy(() -> TraceFile.create(directory)).isInstanceOf(BadInput.class)
                .hasMessageContaining(directory.toString());
    }
}
