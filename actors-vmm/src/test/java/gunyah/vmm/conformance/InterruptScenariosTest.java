package gunyah.vmm.conformance;

import static gunyah.vmm.conformance.Client.ADD_FUNCTION;
import static gunyah.vmm.conformance.Client.IOEVENTFD;
import static gunyah.vmm.conformance.Client.IRQFD;
import static gunyah.vmm.conformance.Client.REMOVE_FUNCTION;
import static gunyah.vmm.conformance.Client.failed;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** irqfd and ioeventfd with a guest behind them. */
class InterruptScenariosTest extends ScenarioTest {
    private static final long NONE = 1023;
    private static final int LEVEL = 1;
    private static final int DATAMATCH = 1;
    private static final long AT = 0x8000;
    private static final Probe.Exit MMIO = new Probe.Exit(Probe.EXIT_MMIO);
    private static final Probe.Value STORED = new Probe.Value(0);

    private Guest guestWithLine(int event, int flags) {
        Guest guest = Guest.prepared(client, 1);
        assertThat(client.function(guest.vm, ADD_FUNCTION, IRQFD, Client.irqFd(event, Guest.LINE, flags))).isZero();
        guest.start();
        guest.listen();
        return guest;
    }

    @Test
    @Scenario(115)
    void anEdgeIsOneInterrupt() {
        bench.tap.record();
        int event = client.eventFd();
        Guest guest = guestWithLine(event, 0);

        client.files.signal(event, 1);

        assertThat(guest.cpu().takeInterrupt()).isEqualTo(Guest.LINE_INTID);
        assertThat(guest.cpu().takeInterrupt()).isEqualTo(NONE);
        assertThat(bench.tap.calls(Tap.SET_MASK)).isEmpty();
    }

    @Test
    @Scenario(116)
    void aLevelLineAssertsAgainButNotForEver() {
        bench.tap.record();
        int event = client.eventFd();
        Guest guest = guestWithLine(event, LEVEL);
        assertThat(bench.tap.calls(Tap.SET_MASK)).hasSize(1);
        long[] arguments = bench.tap.calls(Tap.SET_MASK).getFirst().arguments();
        assertThat(new long[] {arguments[2], arguments[3]}).containsExactly(1, 1);

        client.files.signal(event, 1);
        client.files.signal(event, 1);

        int taken = 0;
        while (guest.cpu().takeInterrupt() == Guest.LINE_INTID) {
            taken++;
            assertThat(taken).isLessThanOrEqualTo(2);
        }
        assertThat(taken).isPositive();
        client.files.signal(event, 1);
        assertThat(guest.cpu().takeInterrupt()).isEqualTo(Guest.LINE_INTID);
    }

    @Test
    @Scenario(117)
    void anEventBeforeTheStartIsLost() {
        int event = client.eventFd();
        Guest guest = Guest.prepared(client, 1);
        client.function(guest.vm, ADD_FUNCTION, IRQFD, Client.irqFd(event, Guest.LINE, 0));
        client.files.signal(event, 1);
        guest.start();
        guest.listen();

        assertThat(guest.cpu().takeInterrupt()).isEqualTo(NONE);
        assertThat(client.files.events(event)).as("the driver does not drain it").isEqualTo(1);
    }

    @Test
    @Scenario(118)
    void aLineThatWasRemovedHearsNoEvent() {
        int event = client.eventFd();
        Guest guest = Guest.prepared(client, 1);
        client.function(guest.vm, ADD_FUNCTION, IRQFD, Client.irqFd(event, Guest.LINE, 0));
        assertThat(client.function(guest.vm, REMOVE_FUNCTION, IRQFD, Client.irqFd(event, Guest.LINE, 0))).isZero();
        client.files.signal(event, 1);
        guest.start();
        guest.listen();
        client.files.signal(event, 1);

        assertThat(guest.cpu().takeInterrupt()).isEqualTo(NONE);
    }

    private int ioEventFd(Guest guest, long data, long address, int length, int flags) {
        int event = client.eventFd();
        assertThat(client.function(guest.vm, ADD_FUNCTION, IOEVENTFD,
                Client.ioEventFd(data, address, length, event, flags))).isZero();
        return event;
    }

    @Test
    @Scenario(122)
    void eachValueHasItsOwnEvent() {
        Guest guest = Guest.started(client, 1);
        int[] events = new int[3];
        for (int value = 0; value < 3; value++) {
            events[value] = ioEventFd(guest, value, AT, 4, DATAMATCH);
        }

        for (int value = 0; value < 3; value++) {
            assertThat(guest.cpu().store(AT, 4, value)).isEqualTo(STORED);
            for (int each = 0; each < 3; each++) {
                assertThat(client.files.events(events[each])).isEqualTo(each == value ? 1 : failed(Errno.EAGAIN));
            }
        }
        assertThat(guest.cpu().store(AT, 4, 3)).isEqualTo(MMIO);
    }

    @Test
    @Scenario({123, 126})
    void withoutDataAnyLengthIsAnEventAndTheGuestGoesOn() {
        Guest guest = Guest.started(client, 1);
        int event = ioEventFd(guest, 0, AT, 8, 0);

        for (int size = 1; size <= 8; size *= 2) {
            assertThat(guest.cpu().store(AT, size, 7)).as("no exit").isEqualTo(STORED);
        }
        assertThat(guest.cpu().repeat(AT, 1000, 7)).isEqualTo(STORED);

        assertThat(client.files.events(event)).isEqualTo(1004);
    }

    @Test
    @Scenario(124)
    void dataOfAnotherLengthIsAnotherStore() {
        Guest guest = Guest.started(client, 1);
        ioEventFd(guest, 5, AT, 4, DATAMATCH);

        assertThat(guest.cpu().store(AT, 8, 5)).isEqualTo(MMIO);
    }

    @Test
    @Scenario(125)
    void onlyStoresToExactlyThatAddressAreEvents() {
        Guest guest = Guest.started(client, 1);
        ioEventFd(guest, 0, AT, 8, 0);

        assertThat(guest.cpu().store(AT + 1, 1, 0)).isEqualTo(MMIO);
        assertThat(guest.cpu().go()).isEqualTo(STORED);
        assertThat(guest.cpu().load(AT, 8)).isEqualTo(MMIO);
    }

    @Test
    @Scenario(127)
    void afterARemovalThereAreNoMoreEvents() {
        Guest guest = Guest.started(client, 1);
        for (int round = 0; round < 20; round++) {
            int event = ioEventFd(guest, 0, AT, 8, 0);
            CompletableFuture<Probe.Outcome> storing = async(() -> guest.cpu().repeat(AT, 2000, 1));
            assertThat(client.function(guest.vm, REMOVE_FUNCTION, IOEVENTFD,
                    Client.ioEventFd(0, AT, 8, event, 0))).isZero();
            long events = Math.max(0, client.files.events(event));

            Probe.Outcome outcome = Bench.get(storing);

            assertThat(client.files.events(event)).isEqualTo(failed(Errno.EAGAIN));
            while (outcome.equals(MMIO)) {
                events++;
                outcome = guest.cpu().go();
            }
            assertThat(outcome).isEqualTo(STORED);
            assertThat(events).isEqualTo(2000);
        }
    }

    @Test
    @Scenario(128)
    void onlyTheHandlerThatIsMeantIsRemoved() {
        Guest guest = Guest.started(client, 1);
        int first = ioEventFd(guest, 1, AT, 4, DATAMATCH);
        int second = ioEventFd(guest, 2, AT, 4, DATAMATCH);

        assertThat(client.function(guest.vm, REMOVE_FUNCTION, IOEVENTFD,
                Client.ioEventFd(1, AT, 4, first, DATAMATCH))).isZero();

        assertThat(guest.cpu().store(AT, 4, 1)).isEqualTo(MMIO);
        assertThat(guest.cpu().go()).isEqualTo(STORED);
        assertThat(guest.cpu().store(AT, 4, 2)).isEqualTo(STORED);
        assertThat(client.files.events(second)).isEqualTo(1);
    }

    @Test
    @Scenario(129)
    void memoryWinsOverAHandler() {
        Guest guest = Guest.started(client, 1);
        int event = ioEventFd(guest, 0, AT, 8, 0);
        int memory = (int) client.createMemory(4096, 0);
        assertThat(client.map(guest.vm, Client.SHARE | Client.R | Client.W, memory, AT, 0, 4096)).isZero();

        assertThat(guest.cpu().store(AT, 8, 0x99)).isEqualTo(STORED);

        assertThat(client.files.events(event)).isEqualTo(failed(Errno.EAGAIN));
        assertThat(client.readLong(memory, 0)).isEqualTo(0x99);
    }
}
