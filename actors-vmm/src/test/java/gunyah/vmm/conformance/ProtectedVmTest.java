package gunyah.vmm.conformance;

import static gunyah.vmm.conformance.Client.LEND;
import static gunyah.vmm.conformance.Client.RWX;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort;
import gunyah.rm.rpc.MessageId;
import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a host can try with memory that it lent, in every way it has: all of it fails, and the guest, which executes in
 * that memory meanwhile, sees nothing of it.
 */
class ProtectedVmTest extends ScenarioTest {
    private static final int PAGE = 4096;
    private static final long SECRETS = 0xA000_0000L;
    private static final int COUNT = 16;
    private static final long SECRET = 0x5EC2_E700_0000_0000L;
    private static final long DONATE_TO_SIBLING = 2;
    private static final long DONATE_TO_PROTECTED = 3;
    private static final long DONATE_FROM_PROTECTED = 4;
    private static final long MAP_PARTIAL = 1;
    private static final long MAP_PRIVATE = 3;
    /** Memory section of LEND behind its header: u32 count of ACL entries, one of them, u16 and u16 count of entries. */
    private static final int FIRST_ENTRY = 8 + 8 + 4 + 4 + 4;

    private Guest guest;
    private int memory;
    private HypercallPort host;
    private List<Tap.Call> donations;

    @BeforeEach
    void aGuestWithSecrets() {
        guest = Guest.prepared(client, 2);
        memory = (int) client.createMemory(COUNT * PAGE, 0);
        assertThat(client.map(guest.vm, LEND | RWX, memory, SECRETS, 0, COUNT * PAGE)).isZero();
        guest.start();
        bench.tap.record();
        for (int i = 0; i < COUNT; i++) {
            guest.cpu().put(SECRETS + i * PAGE, SECRET + i);
        }
        donations = bench.tap.calls(Tap.DONATE);
        assertThat(donations).hasSize(COUNT);
        host = bench.tap.host();
    }

    /** Whatever happened, it runs and its memory is as it left it. */
    @AfterEach
    void theGuestRunsOnAndEndsWithItsSecrets() {
        for (int i = 0; i < COUNT; i++) {
            assertThat(guest.cpu().get(SECRETS + i * PAGE)).isEqualTo(SECRET + i);
        }
        long before = page(0);
        guest.close();
        byte[] content = new byte[PAGE];
        host.read(before, content, 0, PAGE);
        assertThat(content).as("the page that came back").containsOnly(0);
        for (Tap.Call donation : donations) {
            host.read(donation.arguments()[4], content, 0, PAGE);
            assertThat(content).containsOnly(0);
        }
    }

    private long page(int index) {
        return donations.get(index).arguments()[4];
    }

    @Test
    void loadsAndStoresOfTheHostAbort() {
        byte[] bytes = new byte[8];
        for (int i = 0; i < COUNT; i++) {
            long at = page(i);
            assertThatThrownBy(() -> host.read(at, bytes, 0, 8)).isInstanceOf(HypercallPort.ExternalAbort.class);
            assertThatThrownBy(() -> host.write(at + PAGE - 8, bytes, 0, 8))
                    .isInstanceOf(HypercallPort.ExternalAbort.class);
        }
        assertThat(bytes).containsOnly(0);
        long below = page(0) - 8;
        assertThatThrownBy(() -> host.write(below, new byte[16], 0, 16)).as("an access that ends in it")
                .isInstanceOf(HypercallPort.ExternalAbort.class);
    }

    /** A device of the VMM reaches memory by a mapping of its file. */
    @Test
    void aDeviceOfTheHostGetsNoMappingOfIt() {
        for (int i = 0; i < COUNT; i++) {
            int at = i * PAGE;
            assertThatThrownBy(() -> client.mmap(memory, at, PAGE)).isInstanceOf(GunyahError.class);
        }
        assertThatThrownBy(() -> client.mmap(memory, 0, COUNT * PAGE)).isInstanceOf(GunyahError.class);
    }

    @Test
    void hypercallsOfTheHostDoNotMoveIt() {
        Tap.Call donation = donations.getFirst();
        long hostExtent = donation.arguments()[2];
        long guestExtent = donation.arguments()[3];
        Tap.Call mapping = bench.tap.calls(Tap.MAP).getFirst();
        long addrspace = mapping.arguments()[1];

        assertThat(call(Tap.DONATE, DONATE_TO_PROTECTED, hostExtent, guestExtent, page(0), PAGE))
                .isEqualTo(HypError.MEMDB_NOT_OWNER);
        assertThat(call(Tap.DONATE, DONATE_FROM_PROTECTED, guestExtent, hostExtent, page(0), PAGE))
                .isNotEqualTo(HypError.OK);
        assertThat(call(Tap.DONATE, DONATE_TO_SIBLING, guestExtent, hostExtent, page(0), PAGE))
                .isNotEqualTo(HypError.OK);
        assertThat(call(Tap.UNMAP, addrspace, guestExtent, SECRETS, MAP_PRIVATE, page(0), PAGE))
                .isEqualTo(HypError.BUSY);
        assertThat(call(Tap.UNMAP, addrspace, guestExtent, SECRETS, MAP_PARTIAL, page(0), PAGE))
                .isNotEqualTo(HypError.OK);
        assertThat(call(Tap.MAP, addrspace, guestExtent, SECRETS + 0x10_0000, 0xF0077, MAP_PARTIAL, page(0), PAGE))
                .isNotEqualTo(HypError.OK);
    }

    private HypError call(long function, long... arguments) {
        long[] x = new long[18];
        x[0] = function;
        System.arraycopy(arguments, 0, x, 1, arguments.length);
        host.smccc(x);
        return HypError.of(x[0]);
    }

    /** A host that names lent pages in the parcel of another VM. */
    @ParameterizedTest
    @ValueSource(ints = {0, COUNT - 1})
    void theResourceManagerTakesNoParcelOfIt(int index) {
        Guest other = Guest.prepared(client, 1);
        bench.tap.request(packet -> Tap.id(packet) == MessageId.MEM_LEND.id()
                ? ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN).putLong(FIRST_ENTRY, page(index)).array()
                : packet);

        assertThat(client.start(other.vm)).isEqualTo(Client.failed(Errno.EINVAL));

        bench.tap.clear();
        other.close();
    }

    /** As long as it runs: a second vCPU changes its memory while the host tries. */
    @Test
    void tryingAgainAndAgainDoesNotDisturbARunningGuest() {
        Probe second = guest.cpus[1];
        CompletableFuture<Probe.Outcome> running = async(() -> {
            second.awaitUp();
            return second.repeat(SECRETS + 8, 200_000, 7);
        });
        assertThat(guest.cpu().call(0xC400_0003L, 1, Guest.RAM, 0)[0]).isZero();
        List<Throwable> aborts = new ArrayList<>();
        byte[] bytes = new byte[PAGE];
        Arrays.fill(bytes, (byte) 0xEE);
        int tries = 0;
        while (!running.isDone() || tries < COUNT) {
            try {
                host.write(page(tries++ % COUNT), bytes, 0, PAGE);
            } catch (HypercallPort.ExternalAbort abort) {
                aborts.add(abort);
            }
        }
        assertThat(Bench.get(running)).isEqualTo(new Probe.Value(0));
        assertThat(aborts).hasSize(tries);
        assertThat(guest.cpu().get(SECRETS + 8)).isEqualTo(7);
        assertThat(guest.cpu().get(SECRETS + 16)).isZero();
    }
}
