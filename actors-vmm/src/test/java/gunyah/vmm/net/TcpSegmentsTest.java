package gunyah.vmm.net;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.virtio.Bits;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TcpSegmentsTest {
    private static final int CWR = 0x80;

    /** A large frame with IP and TCP options, perhaps with a VLAN tag. */
    private static Frame large(int version, boolean tagged, int payload, int segmentSize) {
        int ip = tagged ? 18 : 14;
        int tcp = ip + (version == 4 ? 24 : 64);
        byte[] bytes = new byte[tcp + 32 + payload];
        new Random(payload).nextBytes(bytes);
        if (tagged) {
            Bits.be16(bytes, 12, 0x8100);
        }
        if (version == 4) {
            Bits.be16(bytes, ip - 2, Ip4.ETHERTYPE);
            bytes[ip] = 0x46;
            bytes[ip + 9] = Ip4.TCP;
            Bits.be16(bytes, ip + 2, bytes.length - ip);
            Bits.be16(bytes, ip + 4, 0xfffe);
        } else {
            Bits.be16(bytes, ip - 2, Ip6.ETHERTYPE);
            bytes[ip] = 0x6f;
            // options for each hop of 8 bytes, then for the receiver of 16
            bytes[ip + 6] = 0;
            Bits.be16(bytes, ip + 40, 60 << 8);
            Bits.be16(bytes, ip + 48, Ip4.TCP << 8 | 1);
            Bits.be16(bytes, ip + 4, bytes.length - ip - 40);
        }
        Bits.be32(bytes, tcp + 4, -1000);
        bytes[tcp + 12] = (byte) 0x80;
        bytes[tcp + 13] = (byte) (TcpFlow.FIN | TcpFlow.PSH | TcpFlow.ACK | CWR);
        return new Frame(bytes, bytes.length, tcp, 16, segmentSize);
    }

    @ParameterizedTest
    @CsvSource({"4,false,5000,1448,4", "4,true,5000,1448,4", "4,false,2896,1448,2", "4,false,1,1448,1",
        "4,true,65000,8,8125", "6,false,5000,1428,4", "6,true,2856,1428,2", "6,false,1,8,1"})
    void segmentsAreWhatTheFrameStandsFor(int version, boolean tagged, int payload, int size, int count) {
        Frame large = large(version, tagged, payload, size);
        assertThat(TcpSegments.isLegal(large)).isTrue();
        int ip = tagged ? 18 : 14;
        int tcp = large.checksumStart();
        int headers = tcp + 32;

        List<Frame> segments = TcpSegments.of(large);

        assertThat(segments).hasSize(count);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            Frame segment = segments.get(i);
            byte[] bytes = segment.withChecksum().bytes();
            assertThat(segment.segmentSize()).isZero();
            if (version == 4) {
                assertThat(Arrays.copyOf(bytes, ip + 2)).as("before the length")
                        .isEqualTo(Arrays.copyOf(large.bytes(), ip + 2));
                assertThat(Bits.be16(bytes, ip + 2)).isEqualTo(segment.length() - ip);
                assertThat(Bits.be16(bytes, ip + 4)).as("identification").isEqualTo(0xfffe + i & 0xffff);
                assertThat(InternetChecksum.finish(InternetChecksum.add(0, bytes, ip, tcp - ip))).as("IP sum").isZero();
            } else {
                assertThat(Arrays.copyOf(bytes, ip + 4)).as("before the length")
                        .isEqualTo(Arrays.copyOf(large.bytes(), ip + 4));
                assertThat(Bits.be16(bytes, ip + 4)).isEqualTo(segment.length() - ip - 40);
                assertThat(Arrays.copyOfRange(bytes, ip + 6, tcp)).as("behind the length")
                        .isEqualTo(Arrays.copyOfRange(large.bytes(), ip + 6, tcp));
            }
            int addresses = version == 4 ? 8 : 32;
            long pseudo = InternetChecksum.add(Ip4.TCP + segment.length() - tcp, bytes,
                    ip + (version == 4 ? 12 : 8), addresses);
            assertThat(InternetChecksum.finish(InternetChecksum.add(pseudo, bytes, tcp, segment.length() - tcp)))
                    .as("TCP sum").isZero();
            assertThat(Bits.be32(bytes, tcp + 4)).as("sequence").isEqualTo(-1000 + i * size);
            int flags = TcpFlow.ACK | (i == 0 ? CWR : 0) | (i == count - 1 ? TcpFlow.FIN | TcpFlow.PSH : 0);
            assertThat(bytes[tcp + 13] & 0xff).as("flags").isEqualTo(flags);
            assertThat(Arrays.copyOfRange(bytes, tcp + 20, headers)).as("options").isEqualTo(
                    Arrays.copyOfRange(large.bytes(), tcp + 20, headers));
            all.write(bytes, headers, segment.length() - headers);
        }
        assertThat(all.toByteArray()).isEqualTo(Arrays.copyOfRange(large.bytes(), headers, large.length()));
    }

    /** Nothing is looked for behind the end of a frame: neither options nor what follows them. */
    @Test
    void optionsThatEndBehindTheFrameHideNoSegment() {
        Frame large = large(6, false, 100, 8);
        byte[] bytes = large.bytes();
        assertThat(TcpSegments.isLegal(large)).isTrue();

        Bits.be16(bytes, 14 + 40, 60 << 8 | 0xff);
        assertThat(TcpSegments.isLegal(large)).isFalse();
        assertThat(Ip6.tcp(bytes, 14, 14 + 39)).as("half a header").isEqualTo(-1);
        bytes[14 + 6] = Ip4.TCP;
        assertThat(Ip6.tcp(bytes, 14, 14 + 39)).as("half a header before TCP").isEqualTo(-1);
        assertThat(Ip6.tcp(bytes, 14, 14 + 40)).isEqualTo(14 + 40);
    }
}
