package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmMessage;
import gunyah.vmm.Scenario;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The client's rules of the RM protocol: sending, matching, reassembly, malformed packets. */
class RmTransportTest {
    private static final int ID = 0x56000001;

    private record Notified(int messageId, byte[] payload) {
    }

    private final FakeGunyah gunyah = new FakeGunyah();
    private final List<byte[]> sent = new ArrayList<>();
    private final List<Notified> notified = new ArrayList<>();
    private RmTransport transport;

    @BeforeEach
    void connect() {
        gunyah.peer(sent::add);
        transport = new RmTransport(gunyah, FakeGunyah.TX_CAP, FakeGunyah.RX_CAP, 0x1000, 0x1800,
                (id, payload) -> notified.add(new Notified(id, payload)));
    }

    private CompletableFuture<byte[]> call(int id, int size) {
        CompletableFuture<byte[]> reply = new CompletableFuture<>();
        transport.call(id, new byte[size], reply);
        return reply;
    }

    private void deliver(String hex) {
        gunyah.toHost(HexFormat.of().parseHex(hex.replace(" ", "")));
        transport.rxReady();
    }

    private static Errno errno(CompletableFuture<byte[]> reply) {
        assertThat(reply).isCompletedExceptionally();
        try {
            reply.get();
            throw new AssertionError("completed");
        } catch (ExecutionException e) {
            return ((GunyahError) e.getCause()).errno();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Scenario(4)
    void theFirstSendDoesNotWait() {
        call(ID, 4);

        assertThat(sent).hasSize(1);
        assertThat(HexFormat.of().formatHex(sent.getFirst())).isEqualTo("210100000100005600000000");
    }

    @Test
    @Scenario(5)
    void aFullQueueHoldsTheNextMessageUntilTheTxInterruptAndSendsItOnce() {
        gunyah.sendRoom(1);
        call(ID, 4);
        call(ID, 4);
        assertThat(sent).hasSize(1);

        transport.txReady();
        transport.txReady();

        assertThat(sent).hasSize(2);
    }

    @Test
    @Scenario(7)
    void aSendThatFindsTheQueueFullAgainstExpectationIsRepeated() {
        gunyah.nextSendIsFull();
        CompletableFuture<byte[]> reply = call(ID, 4);
        assertThat(sent).isEmpty();

        transport.txReady();
        deliver("21020000 01000056 00000000 80000000");

        assertThat(sent).hasSize(1);
        assertThat(reply.getNow(null)).isEqualTo(new byte[] {(byte) 0x80, 0, 0, 0});
    }

    @Test
    @Scenario(10)
    void aRequestOf232BytesIsOneMessageAndPushed() {
        call(ID, 232);

        assertThat(sent).hasSize(1);
        assertThat(sent.getFirst()[0]).isEqualTo((byte) 0x21);
        assertThat(sent.getFirst()[1]).isEqualTo((byte) 0x01);
        assertThat(gunyah.sendFlags()).containsExactly(1L);
    }

    @Test
    @Scenario(11)
    void aRequestOf233BytesIsTwoMessagesAndOnlyTheLastIsPushed() {
        call(ID, 233);

        assertThat(sent).extracting(m -> m.length).containsExactly(240, 9);
        assertThat(sent).extracting(m -> m[1]).containsExactly((byte) 0x05, (byte) 0x04);
        assertThat(gunyah.sendFlags()).containsExactly(0L, 1L);
    }

    @Test
    @Scenario(12)
    void theLargestRequestHas62MessagesAndALargerOneIsRefusedUnsent() {
        call(ID, 14384);
        assertThat(sent).hasSize(62);

        assertThat(errno(call(ID, 14385))).isEqualTo(Errno.E2BIG);
        assertThat(sent).hasSize(62);
    }

    @Test
    @Scenario(13)
    void messageIdZeroIsInvalid() {
        assertThat(errno(call(0, 4))).isEqualTo(Errno.EINVAL);
    }

    @Test
    @Scenario(14)
    void repliesInReverseOrderReachTheirCallers() {
        CompletableFuture<byte[]> first = call(ID, 4);
        CompletableFuture<byte[]> second = call(ID, 4);

        deliver("21020100 01000056 00000000 22");
        deliver("21020000 01000056 00000000 11");

        assertThat(first.getNow(null)).isEqualTo(new byte[] {0x11});
        assertThat(second.getNow(null)).isEqualTo(new byte[] {0x22});
    }

    @Test
    @Scenario(15)
    void the65537thCallOutstandingIsBusy() {
        for (int i = 0; i < 65536; i++) {
            call(ID, 0);
        }

        assertThat(errno(call(ID, 0))).isEqualTo(Errno.EBUSY);
    }

    @Test
    @Scenario({16, 17})
    void aReplyWithUnknownSequenceOrOtherIdIsIgnored() {
        CompletableFuture<byte[]> reply = call(ID, 4);

        deliver("21020700 01000056 00000000");
        deliver("21020000 02000056 00000000");
        assertThat(reply).isNotDone();
        deliver("21020000 01000056 00000000");

        assertThat(reply.getNow(null)).isEqualTo(new byte[0]);
    }

    @Test
    @Scenario(18)
    void aReplyInThreeFragmentsIsJoinedInOrder() {
        CompletableFuture<byte[]> reply = call(ID, 4);
        byte[] body = new byte[228 + 232 + 10];
        for (int i = 0; i < body.length; i++) {
            body[i] = (byte) (i * 7);
        }
        Fragmenter.split(new RmMessage(PacketType.REPLY, 0, ID, Reply.of(body).encode())).forEach(gunyah::toHost);

        transport.rxReady();

        assertThat(reply.getNow(null)).isEqualTo(body);
    }

    @Test
    @Scenario(19)
    void aContinuationThatDoesNotFitBreaksTheReplyOff() {
        CompletableFuture<byte[]> broken = call(ID, 4);
        CompletableFuture<byte[]> next = call(ID, 4);

        deliver("21060000 01000056 00000000 11");
        deliver("21080000 01000056 22");
        deliver("21020100 01000056 00000000");

        assertThat(errno(broken)).isEqualTo(Errno.EIO);
        assertThat(next).isCompleted();
    }

    @Test
    @Scenario(20)
    void aNotificationBreaksOffTheReplyBeingJoined() {
        CompletableFuture<byte[]> broken = call(ID, 4);

        deliver("21060000 01000056 00000000 11");
        deliver("21030000 08001056 8000000003000000");

        assertThat(errno(broken)).isEqualTo(Errno.EIO);
        assertThat(notified).hasSize(1);
        assertThat(notified.getFirst().messageId).isEqualTo(0x56100008);
        assertThat(notified.getFirst().payload).hasSize(8);
    }

    @Test
    @Scenario(21)
    void aStrayContinuationIsIgnored() {
        deliver("21040000 01000056 22");

        assertThat(notified).isEmpty();
    }

    @Test
    @Scenario(22)
    void aShortMessageDoesNotStopTheDrain() {
        CompletableFuture<byte[]> reply = call(ID, 4);
        gunyah.toHost(new byte[5]);

        deliver("21020000 01000056 00000000");

        assertThat(reply).isCompleted();
    }

    @Test
    @Scenario(23)
    void aMessageOfAnotherVersionStopsTheDrainUntilTheNextInterrupt() {
        CompletableFuture<byte[]> reply = call(ID, 4);
        gunyah.toHost(HexFormat.of().parseHex("1102000001000056"));

        deliver("21020000 01000056 00000000");
        assertThat(reply).isNotDone();
        transport.rxReady();

        assertThat(reply).isCompleted();
    }

    @Test
    @Scenario(24)
    void aReplyWith63FragmentsOrWithoutErrorWordFailsItsCall() {
        CompletableFuture<byte[]> tooMany = call(ID, 4);
        CompletableFuture<byte[]> tooShort = call(ID, 4);

        deliver("21fe0000 01000056 00000000");
        deliver("21020100 01000056 0000");

        assertThat(errno(tooMany)).isEqualTo(Errno.EBADMSG);
        assertThat(errno(tooShort)).isEqualTo(Errno.EBADMSG);
    }

    @Test
    @Scenario(25)
    void errorWordsBecomeErrorNumbers() {
        for (var expected : Map.of(3, Errno.EPERM, 5, Errno.EBUSY, 0xffffffff, Errno.EOPNOTSUPP, 0x77,
                Errno.EBADMSG, 1, Errno.ENOMEM, 0x14, Errno.EBADMSG).entrySet()) {
            CompletableFuture<byte[]> reply = call(ID, 4);
            int sequence = transport.outstandingSequences()[0];
            Fragmenter.split(new RmMessage(PacketType.REPLY, sequence, ID, new Reply(expected.getKey(), new byte[0])
                    .encode())).forEach(gunyah::toHost);

            transport.rxReady();

            assertThat(errno(reply)).isEqualTo(expected.getValue());
        }
    }

    @Test
    @Scenario({8, 9})
    void allMessagesThatWaitAreTakenByOneInterrupt() {
        for (int i = 0; i < 3; i++) {
            gunyah.toHost(HexFormat.of().parseHex("21030000" + "08001056" + "8000000003000000"));
        }

        transport.rxReady();

        assertThat(notified).hasSize(3);
    }
}
