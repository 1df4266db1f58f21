package gunyah.rm.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.rm.Invariant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TransportTest {
    private static final int SEED = Integer.getInteger("gunyah.test.seed", 17);

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(SEED + length).nextBytes(bytes);
        return bytes;
    }

    private static RmMessage message(int length) {
        return new RmMessage(PacketType.REQUEST, 0x1234, 0x51000012, bytes(length));
    }

    private static Optional<RmMessage> feed(Reassembler reassembler, List<byte[]> packets) {
        Optional<RmMessage> last = Optional.empty();
        for (byte[] packet : packets) {
            last = reassembler.accept(packet, packet.length);
        }
        return last;
    }

    @Test
    @Invariant("T1")
    void joiningWhatWasSplitIsTheIdentity() {
        for (int length : new int[] {0, 1, 231, 232, 233, 464, 465, 8204, 8216, 14384, 14615, 14616}) {
            List<byte[]> packets = Fragmenter.split(message(length));

            RmMessage whole = feed(new Reassembler(), packets).orElseThrow();

            assertThat(packets).hasSize(Math.max(1, (length + 231) / 232));
            assertThat(packets.subList(0, packets.size() - 1)).allMatch(p -> p.length == 240);
            assertThat(whole.payload()).isEqualTo(message(length).payload());
            assertThat(whole.sequence()).isEqualTo(0x1234);
            assertThat(whole.messageId()).isEqualTo(0x51000012);
        }
    }

    @Test
    void aMessageOfMoreThan63PacketsIsRefused() {
        assertThatThrownBy(() -> Fragmenter.split(message(14617))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void lendsUseTheFragmentCountsOfTheProtocol() {
        assertThat(lend(13)).hasSize(1).allMatch(p -> p[1] == 0x01);
        assertThat(lend(14)).hasSize(2).element(0).matches(p -> p[1] == 0x05);
        assertThat(lend(14)).element(1).matches(p -> p[1] == 0x04);
        assertThat(lend(512)).hasSize(36).element(0).matches(p -> (p[1] & 0xff) == 0x8d);
        assertThat(lend(512)).element(35).matches(p -> (p[1] & 0xff) == 0x8c);
    }

    private static List<byte[]> lend(int regions) {
        List<MemRange> ranges = java.util.stream.IntStream.range(0, regions)
                .mapToObj(i -> new MemRange(0x9000_0000L + i * 0x2000L, 0x1000)).toList();
        ParcelCreate request = new ParcelCreate(0, 0, 0, List.of(new AclEntry(0x80, 7)), ranges, List.of());
        return Fragmenter.split(new RmMessage(PacketType.REQUEST, 5, 0x51000012, request.encode()));
    }

    @Test
    void shortForeignAndOverlongHeadersAreDropped() {
        Reassembler reassembler = new Reassembler();
        byte[] packet = Fragmenter.split(message(4)).getFirst();

        byte[] foreign = packet.clone();
        foreign[0] = 0x22;
        byte[] overlong = packet.clone();
        overlong[1] = (byte) (63 << 2 | 1);

        assertThat(reassembler.accept(packet, 7)).isEmpty();
        assertThat(reassembler.accept(foreign, foreign.length)).isEmpty();
        assertThat(reassembler.accept(overlong, overlong.length)).isEmpty();
        assertThat(reassembler.accept(packet, packet.length)).isPresent();
    }

    @Test
    void aContinuationThatDoesNotBelongIsDroppedAndThePartialKept() {
        List<byte[]> packets = Fragmenter.split(message(300));
        for (int changed : new int[] {1, 2, 4}) {
            Reassembler reassembler = new Reassembler();
            byte[] stranger = packets.get(1).clone();
            stranger[changed] ^= 0x10;

            reassembler.accept(packets.get(0), 240);
            assertThat(reassembler.accept(stranger, stranger.length)).isEmpty();
            assertThat(reassembler.accept(packets.get(1), packets.get(1).length)).isPresent();
        }
    }

    @Test
    void aNewFirstPacketDiscardsThePartialMessage() {
        Reassembler reassembler = new Reassembler();
        reassembler.accept(Fragmenter.split(message(300)).getFirst(), 240);

        RmMessage whole = feed(reassembler, Fragmenter.split(message(8))).orElseThrow();

        assertThat(whole.payload()).isEqualTo(bytes(8));
        byte[] late = Fragmenter.split(message(300)).get(1);
        assertThat(reassembler.accept(late, late.length)).isEmpty();
    }

    @Test
    @Invariant("T2")
    void damagedStreamsNeverDeliverWhatWasNotSent() {
        Random random = new Random(SEED);
        Reassembler reassembler = new Reassembler();
        for (int round = 0; round < 2000; round++) {
            byte[] noise = new byte[random.nextInt(241)];
            random.nextBytes(noise);
            if (noise.length > 0 && random.nextBoolean()) {
                noise[0] = 0x21;
            }
            if (noise.length > 1) {
                noise[1] &= (byte) 0xfc;
            }
            assertThat(reassembler.accept(noise, noise.length)).isEmpty();
        }
        assertThat(feed(reassembler, Fragmenter.split(message(500)))).isPresent();
    }
}
