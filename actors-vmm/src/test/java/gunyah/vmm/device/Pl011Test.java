package gunyah.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

/** The UART as Linux, U-Boot and bare-metal programs use it. */
class Pl011Test {
    private static final int DR = 0x00;
    private static final int FR = 0x18;
    private static final int LCR_H = 0x2c;
    private static final int CR = 0x30;
    private static final int IMSC = 0x38;
    private static final int RIS = 0x3c;
    private static final int MIS = 0x40;
    private static final int ICR = 0x44;
    private static final int RX = 0x10;
    private static final int TX = 0x20;
    private static final int RT = 0x40;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Deque<Runnable> work = new ArrayDeque<>();
    private final ConsoleSink sink = new ConsoleSink(out::writeBytes, work::add);
    private int raised;
    private final Pl011 uart = new Pl011(sink, () -> raised++);

    private void enable() {
        uart.write(LCR_H, 4, 0x70);
        uart.write(CR, 4, 0x301);
    }

    private String drain() {
        StringBuilder text = new StringBuilder();
        while ((uart.read(FR, 4) & 0x10) == 0) {
            text.append((char) uart.read(DR, 4));
        }
        return text.toString();
    }

    private static String letters(int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append((char) ('a' + i % 26));
        }
        return text.toString();
    }

    @Test
    void identificationRegistersAreThoseOfARevisionOnePl011() {
        int[] ids = new int[8];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) uart.read(0xfe0 + i * 4, 4);
        }

        assertThat(ids).containsExactly(0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1);
    }

    @Test
    void whatIsWrittenReachesTheReaderInOrder() {
        "hello".chars().forEach(c -> uart.write(DR, 1, c));
        work.forEach(Runnable::run);

        assertThat(out).hasToString("hello");
        assertThat(uart.read(FR, 4)).isEqualTo(0x90);
    }

    @Test
    void transmitInterruptComesOnceEnabledAfterTheFirstByte() {
        enable();
        uart.write(DR, 1, 'x');
        assertThat(raised).isZero();

        uart.write(IMSC, 4, TX);

        assertThat(raised).isEqualTo(1);
        assertThat(uart.read(MIS, 4)).isEqualTo(TX);
        uart.write(ICR, 4, TX);
        assertThat(uart.read(RIS, 4)).isZero();
        uart.write(DR, 1, 'y');
        assertThat(raised).isEqualTo(2);
    }

    @Test
    void typingRaisesTheReceiveInterruptAndReadingClearsIt() {
        enable();
        uart.write(IMSC, 4, RX | RT);
        uart.type("ok".getBytes());

        assertThat(raised).isEqualTo(1);
        assertThat(uart.read(MIS, 4) & RT).isEqualTo(RT);
        assertThat(drain()).isEqualTo("ok");
        assertThat(uart.read(RIS, 4) & (RX | RT)).isZero();
        uart.type("!".getBytes());
        assertThat(raised).isEqualTo(2);
    }

    @Test
    void pastingMoreThanTheFifoLosesNothing() {
        enable();
        uart.write(IMSC, 4, RX | RT);
        String pasted = letters(5000);

        uart.type(pasted.getBytes());

        assertThat(uart.read(RIS, 4) & RX).isEqualTo(RX);
        assertThat(uart.read(FR, 4) & 0x40).isEqualTo(0x40);
        assertThat(drain()).isEqualTo(pasted);
        assertThat(uart.untaken()).isZero();
    }

    @Test
    void whatIsTypedBeforeTheDriverListensSurvivesItsFifoFlush() {
        uart.type("early".getBytes());
        enable();
        for (int i = 0; i < 3; i++) {
            uart.write(DR, 1, '.');
            uart.read(FR, 4);
            uart.read(FR, 4);
        }
        assertThat(drain()).isEmpty();

        uart.write(IMSC, 4, RX | RT);

        assertThat(raised).isEqualTo(1);
        assertThat(drain()).isEqualTo("early");
    }

    @Test
    void aGuestThatPollsGetsItsInput() {
        enable();
        uart.type("boot".getBytes());
        StringBuilder got = new StringBuilder();
        for (int i = 0; i < 200 && got.length() < 4; i++) {
            if ((uart.read(FR, 4) & 0x10) == 0) {
                got.append((char) uart.read(DR, 4));
            }
        }

        assertThat(got).hasToString("boot");
    }

    @Test
    void aDisabledUartKeepsItsInput() {
        uart.write(CR, 4, 0);
        uart.write(IMSC, 4, RX | RT);
        uart.type("x".getBytes());
        assertThat(uart.read(FR, 4) & 0x10).isEqualTo(0x10);

        uart.write(CR, 4, 0x301);

        assertThat(drain()).isEqualTo("x");
    }

    @Test
    void aReaderThatFallsBehindFillsTheTransmitFifo() {
        enable();
        uart.write(IMSC, 4, TX);
        for (int i = 0; i < ConsoleSink.CAPACITY; i++) {
            uart.write(DR, 1, 'x');
        }
        sink.onRoom(uart::transmitterReady);
        assertThat(uart.read(FR, 4) & 0x20).isEqualTo(0x20);
        assertThat(uart.read(RIS, 4) & TX).isZero();
        int before = raised;

        work.forEach(Runnable::run);

        assertThat(uart.read(FR, 4) & 0xa0).isEqualTo(0x80);
        assertThat(raised).isEqualTo(before + 1);
        assertThat(out.size()).isEqualTo(ConsoleSink.CAPACITY);
        assertThat(sink.drained().toCompletableFuture()).isDone();
    }

    @Test
    void withoutFifosOneByteFits() {
        uart.write(CR, 4, 0x301);
        uart.write(IMSC, 4, RX);
        uart.type("ab".getBytes());

        assertThat(uart.read(FR, 4) & 0x50).isEqualTo(0x40);
        assertThat(uart.read(DR, 4)).isEqualTo('a');
        assertThat(uart.read(DR, 4)).isEqualTo('b');
        assertThat(uart.read(FR, 4) & 0x50).isEqualTo(0x10);
    }
}
