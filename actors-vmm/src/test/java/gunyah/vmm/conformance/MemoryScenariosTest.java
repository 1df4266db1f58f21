package gunyah.vmm.conformance;

import static gunyah.vmm.conformance.Client.LEND;
import static gunyah.vmm.conformance.Client.PUNCH;
import static gunyah.vmm.conformance.Client.R;
import static gunyah.vmm.conformance.Client.RWX;
import static gunyah.vmm.conformance.Client.SHARE;
import static gunyah.vmm.conformance.Client.UNMAP;
import static gunyah.vmm.conformance.Client.W;
import static gunyah.vmm.conformance.Client.X;
import static gunyah.vmm.conformance.Client.failed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.hyp.HypError;
import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.HostMapping;
import gunyah.vmm.driver.PlatformHooks;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Lent and shared memory with a guest behind it. */
class MemoryScenariosTest extends ScenarioTest {
    private static final long PAGE = 4096;
    private static final long BLOCK = 2 << 20;
    private static final long MIB = 1 << 20;
    private static final long EXTRA = 0x9000_0000L;
    private static final long WINDOW = 0x2000_0000L;
    private static final long PSCI_SYSTEM_OFF = 0x8400_0008L;
    private static final long PSCI_CPU_ON = 0xC400_0003L;
    /** addrspace_modify_pages: an unlock of private pages. */
    private static final long MODIFY_PAGES = 0xC600_8069L;
    /** Bit 0 unlock, bit 3 do not sanitise. */
    private static final int UNLOCK = 9;
    private static final int UNLOCK_SANITISED = 1;
    private static final Probe.Exit MMIO = new Probe.Exit(Probe.EXIT_MMIO);
    private static final Probe.Exit PAGE_FAULT = new Probe.Exit(Probe.EXIT_PAGE_FAULT);

    private int extra(Guest guest, int flags, long size) {
        int memory = (int) client.createMemory(size, 0);
        assertThat(client.map(guest.vm, flags, memory, EXTRA, 0, size)).isZero();
        return memory;
    }

    /** A started guest with memory lent at {@link #EXTRA} before the start, as the Resource Manager must hear of it. */
    private Guest guestWith(int flags, long size, int[] memory) {
        Guest guest = Guest.prepared(client, 1);
        memory[0] = extra(guest, flags, size);
        guest.start();
        return guest;
    }

    private Guest shared(int[] memory) {
        Guest guest = Guest.started(client, 1);
        memory[0] = (int) client.createMemory(64 * PAGE, 0);
        assertThat(client.map(guest.vm, SHARE | R | W, memory[0], WINDOW, 0, 64 * PAGE)).isZero();
        return guest;
    }

    private static void unlock(Guest guest, long address, long size, int flags) {
        // the address space of one's own is capability 0
        assertThat(guest.cpu().call(MODIFY_PAGES, 0, address, size, flags, 0)[0]).isZero();
    }

    @Test
    @Scenario(91)
    void aLentPageShowsWhatTheHostWroteAndIsGoneForTheHost() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, 16 * PAGE, memory);
        client.writeLong(memory[0], 3 * PAGE, 0x1234);
        assertThat(guest.cpu().get(EXTRA + 3 * PAGE)).isEqualTo(0x1234);

        assertThatThrownBy(() -> client.readLong(memory[0], 3 * PAGE)).isInstanceOf(GunyahError.class);

        assertThat(guest.cpu().get(EXTRA + 3 * PAGE)).isEqualTo(0x1234);
    }

    @Test
    @Scenario(92)
    void aSharedPageIsOneForBoth() {
        int[] memory = new int[1];
        Guest guest = shared(memory);
        for (long i = 1; i < 100; i += 2) {
            client.writeLong(memory[0], 8, i);
            assertThat(guest.cpu().get(WINDOW + 8)).isEqualTo(i);
            guest.cpu().put(WINDOW + 8, i + 1);
            assertThat(client.readLong(memory[0], 8)).isEqualTo(i + 1);
        }
    }

    @Test
    @Scenario(93)
    void aPageThatTheHostMapsIsNotLent() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, 16 * PAGE, memory);
        HostMapping mapping = client.mmap(memory[0], 0, PAGE);

        assertThat(guest.cpu().load(EXTRA, 8)).isEqualTo(PAGE_FAULT);
        assertThat(guest.cpu().page.address()).isEqualTo(EXTRA);
        assertThat(guest.cpu().page.faultAttempt()).isEqualTo(-Errno.EPERM.number());

        mapping.close();
        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(0));
    }

    @Test
    @Scenario(94)
    void anAddressWithoutMemoryLeavesAndMayBeProvided() {
        Guest guest = Guest.started(client, 1);
        Probe.Outcome outcome = guest.cpu().load(EXTRA, 8);
        if (outcome.equals(PAGE_FAULT)) {
            assertThat(guest.cpu().page.faultAttempt()).isEqualTo(-Errno.ENOENT.number());
        } else {
            assertThat(outcome).isEqualTo(MMIO);
            guest.cpu().page.mmioResume(2);
        }
        int memory = (int) client.createMemory(PAGE, 0);
        client.writeLong(memory, 0, 77);
        assertThat(client.map(guest.vm, SHARE | R | W, memory, EXTRA, 0, PAGE)).isZero();

        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(77));
    }

    @Test
    @Scenario(95)
    void aReadOnlyBindingIsRead() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | R | X, 4 * PAGE, memory);

        assertThat(guest.cpu().store(EXTRA, 8, 1)).isEqualTo(PAGE_FAULT);
        assertThat(guest.cpu().page.faultAttempt()).isEqualTo(-Errno.EPERM.number());
        guest.cpu().page.faultResume(1);
        assertThat(guest.cpu().go()).isInstanceOf(Probe.Exception.class);
        assertThat(guest.cpu().get(EXTRA)).isZero();
    }

    @Test
    @Scenario(96)
    void everyPageIsLentOnceHoweverManyTouchIt() {
        long size = 25 * MIB;
        Guest guest = Guest.prepared(client, 8);
        extra(guest, LEND | RWX, size);
        guest.start();
        Map<Long, Integer> donated = new HashMap<>();
        Map<Long, Integer> mapped = new HashMap<>();
        bench.tap.after((arguments, results) -> {
            boolean donate = arguments[0] == Tap.DONATE;
            if (donate || arguments[0] == Tap.MAP) {
                assertThat(results[0]).isZero();
                synchronized (donated) {
                    (donate ? donated : mapped).merge(donate ? arguments[4] : arguments[6], 1, Integer::sum);
                }
            }
        });
        List<CompletableFuture<Probe.Outcome>> running = new ArrayList<>();
        for (int cpu = 1; cpu < 8; cpu++) {
            Probe each = guest.cpus[cpu];
            running.add(async(() -> {
                each.awaitUp();
                return each.touch(EXTRA, EXTRA + size);
            }));
            assertThat(guest.cpu().call(PSCI_CPU_ON, cpu, Guest.RAM, 0)[0]).isZero();
        }
        running.add(async(() -> guest.cpu().touch(EXTRA, EXTRA + size)));

        running.forEach(each -> assertThat(Bench.get(each)).isEqualTo(new Probe.Value(0)));

        assertThat(donated).hasSize((int) (size / PAGE)).allSatisfy((page, times) -> assertThat(times).isOne());
        assertThat(mapped).isEqualTo(donated);
    }

    @Test
    @Scenario(97)
    void lendingAndSharingMakeTheirExactCalls() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, PAGE, memory);
        int readOnly = (int) client.createMemory(PAGE, 0);
        int shared = (int) client.createMemory(PAGE, 0);
        int sharedReadOnly = (int) client.createMemory(PAGE, 0);
        assertThat(client.map(guest.vm, SHARE | R | W, shared, WINDOW, 0, PAGE)).isZero();
        assertThat(client.map(guest.vm, SHARE | R, sharedReadOnly, WINDOW + PAGE, 0, PAGE)).isZero();
        bench.tap.record();
        guest.cpu().get(EXTRA);
        guest.cpu().get(WINDOW);
        guest.cpu().get(WINDOW + PAGE);

        List<Tap.Call> donations = bench.tap.calls(Tap.DONATE);
        List<Tap.Call> maps = bench.tap.calls(Tap.MAP);
        assertThat(donations).extracting(call -> call.arguments()[1]).containsExactly(3L, 2L, 2L);
        assertThat(maps).extracting(call -> call.arguments()[4]).containsExactly(0xF0077L, 0xF0066L, 0xF0044L);
        assertThat(maps).extracting(call -> call.arguments()[5]).containsExactly(3L, 5L, 5L);
        assertThat(maps).extracting(call -> call.arguments()[2]).as("the extent donated to is the extent mapped")
                .isEqualTo(donations.stream().map(call -> call.arguments()[3]).toList());

        Guest other = Guest.prepared(client, 1);
        assertThat(client.map(other.vm, LEND | R | X, readOnly, EXTRA, 0, PAGE)).isZero();
        other.start();
        bench.tap.clear();
        bench.tap.record();
        other.cpu().get(EXTRA);
        assertThat(bench.tap.calls(Tap.MAP).getFirst().arguments()[4]).isEqualTo(0xF0055);
    }

    @Test
    @Scenario(98)
    void aMapThatFailsDonatesBack() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, PAGE, memory);
        bench.tap.record();
        bench.tap.failOnce(Tap.MAP, HypError.BUSY.code());

        assertThat(guest.cpu().load(EXTRA, 8)).isEqualTo(PAGE_FAULT);

        assertThat(guest.cpu().page.faultAttempt()).isEqualTo(-Errno.EBUSY.number());
        assertThat(bench.tap.calls(Tap.DONATE)).extracting(call -> call.arguments()[1]).containsExactly(3L, 4L);
        assertThat(guest.cpu().go()).as("the next fault tries again").isEqualTo(new Probe.Value(0));
    }

    /** Refuses what it is told to, and logs. */
    private static final class Platform implements PlatformHooks {
        final List<String> log = new ArrayList<>();
        Errno assigning = Errno.OK;
        Errno releasing = Errno.OK;

        @Override
        public Errno assign(int vmid, int access, long address, long size) {
            log.add("assign " + access);
            return assigning;
        }

        @Override
        public Errno release(int vmid, int access, long address, long size) {
            log.add("release " + access);
            return releasing;
        }
    }

    @Test
    @Scenario({99, 100})
    void thePlatformMayRefuseAndAPageItDoesNotReleaseIsLost() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, 2 * PAGE, memory);
        Platform platform = new Platform();
        bench.device.platform(platform);
        try {
            bench.tap.record();
            platform.assigning = Errno.EACCES;
            assertThat(guest.cpu().load(EXTRA, 8)).isEqualTo(PAGE_FAULT);
            assertThat(guest.cpu().page.faultAttempt()).isEqualTo(-Errno.EACCES.number());
            assertThat(bench.tap.calls(Tap.DONATE)).isEmpty();
            platform.assigning = Errno.OK;
            assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(0));
            assertThat(platform.log).containsExactly("assign 7", "assign 7");

            platform.releasing = Errno.EIO;
            bench.tap.failOnce(Tap.MAP, HypError.BUSY.code());
            int used = bench.device.usedHostPages();
            assertThat(guest.cpu().load(EXTRA + PAGE, 8)).isEqualTo(PAGE_FAULT);
            platform.releasing = Errno.OK;
            client.close(memory[0]);
            guest.close();
            assertThat(used - bench.device.usedHostPages()).as("all but the lost page are free again").isPositive();
        } finally {
            bench.device.platform(PlatformHooks.NONE);
        }
    }

    @Test
    @Scenario(101)
    void aSharedPageThatWasPunchedOutIsZeroEveryTime() {
        int[] memory = new int[1];
        Guest guest = shared(memory);
        int rounds = Integer.getInteger("gunyah.punches", 1000);
        for (int i = 1; i <= rounds; i++) {
            guest.cpu().put(WINDOW, i);
            assertThat(client.readLong(memory[0], 0)).isEqualTo(i);
            assertThat(client.files.fallocate(memory[0], PUNCH, 0, PAGE)).isZero();
            assertThat(guest.cpu().get(WINDOW)).isZero();
        }
    }

    @Test
    @Scenario(102)
    void aLentPageInUseIsNotPunchedOut() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, 4 * PAGE, memory);
        guest.cpu().put(EXTRA, 55);

        assertThat(client.files.fallocate(memory[0], PUNCH, 0, PAGE)).isNegative();

        assertThat(guest.cpu().get(EXTRA)).isEqualTo(55);
    }

    @Test
    @Scenario({103, 104})
    void aGuestMayUnlockItsPages() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, 4 * PAGE, memory);
        guest.cpu().put(EXTRA, 55);
        guest.cpu().put(EXTRA + PAGE, 66);
        unlock(guest, EXTRA, PAGE, UNLOCK);
        unlock(guest, EXTRA + PAGE, PAGE, UNLOCK_SANITISED);

        assertThat(client.readLong(memory[0], 0)).isEqualTo(55);
        assertThat(client.readLong(memory[0], PAGE)).isZero();
        assertThat(client.files.fallocate(memory[0], PUNCH, 0, 2 * PAGE)).isZero();
        assertThat(guest.cpu().get(EXTRA)).isZero();
        assertThat(guest.cpu().get(EXTRA + PAGE)).isZero();
    }

    @Test
    @Scenario(105)
    void aHugeFolioComesBackWhole() {
        Guest guest = Guest.prepared(client, 1);
        int memory = (int) client.createMemory(BLOCK, 2);
        assertThat(client.map(guest.vm, LEND | RWX, memory, EXTRA, 0, BLOCK)).isZero();
        guest.start();
        guest.cpu().put(EXTRA, 5);

        unlock(guest, EXTRA, BLOCK / 2, UNLOCK);
        assertThat(client.files.fallocate(memory, PUNCH, 0, BLOCK)).isNegative();
        assertThat(guest.cpu().get(EXTRA)).isEqualTo(5);

        unlock(guest, EXTRA + BLOCK / 2, BLOCK / 2, UNLOCK);
        assertThat(client.files.fallocate(memory, PUNCH, 0, BLOCK)).isZero();
        assertThat(guest.cpu().get(EXTRA)).isZero();
    }

    @Test
    @Scenario(107)
    void hugeFoliosAreAlignedAndLentAtOnce() {
        int vm = client.createVm();
        int memory = (int) client.createMemory(2 * BLOCK, 2);
        assertThat(client.map(vm, LEND | RWX, memory, EXTRA + PAGE, 0, BLOCK)).isEqualTo(failed(Errno.EINVAL));

        Guest guest = Guest.prepared(client, 1, LEND | RWX, 2);
        bench.tap.record();
        guest.start();
        guest.cpu().get(Guest.FREE + BLOCK / 2);
        assertThat(bench.tap.calls(Tap.DONATE)).isNotEmpty()
                .allSatisfy(call -> assertThat(call.arguments()[5]).isEqualTo(BLOCK));
    }

    @Test
    @Scenario(109)
    void whateverWasLentComesBackAtTheEnd() {
        int before = bench.device.usedHostPages();
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, 64 * PAGE, memory);
        assertThat(guest.cpu().fill(EXTRA, EXTRA + 64 * PAGE, 9)).isEqualTo(new Probe.Value(0));
        bench.tap.record();
        guest.cpu().lastCall(PSCI_SYSTEM_OFF);
        client.close(guest.vm);
        client.close(guest.cpu().fd);

        for (int page = 0; page < 64; page++) {
            assertThat(client.readLong(memory[0], page * PAGE)).as("a protected VM's page").isZero();
        }
        assertThat(bench.tap.calls(Tap.DONATE)).allSatisfy(call -> assertThat(call.results()[0]).isZero());
        client.close(memory[0]);
        client.close(guest.memory);
        assertThat(bench.device.usedHostPages()).isEqualTo(before);
    }

    @Test
    @Scenario(111)
    void theDeviceTreesParcelHasThePagesOfItsPlaceInTheFile() {
        int vm = client.createVm();
        int memory = (int) client.createMemory(8 * MIB, 0);
        client.write(memory, MIB, Guest.program());
        client.write(memory, MIB + (Guest.DTB - Guest.RAM), Guest.tree(1));
        assertThat(client.map(vm, LEND | RWX, memory, Guest.RAM, MIB, Guest.RAM_SIZE)).isZero();
        client.setDtb(vm, Guest.DTB, Guest.DTB_SIZE);
        client.setRegister(vm, 1, 0, Guest.RAM);
        Probe cpu = new Probe(client, client.addVcpu(vm, 0));

        assertThat(client.start(vm)).isZero();

        cpu.awaitUp();
        assertThat(cpu.load(Guest.DTB, 4)).isEqualTo(new Probe.Value(0xEDFE_0DD0L));
    }

    @Test
    @Scenario(112)
    void onlyTheLastPageOfManyWaitsForTheirRemoval() {
        int[] memory = new int[1];
        Guest guest = shared(memory);
        for (int page = 0; page < 10; page++) {
            guest.cpu().get(WINDOW + page * PAGE);
        }
        bench.tap.record();

        assertThat(client.map(guest.vm, SHARE | R | W | UNMAP, memory[0], WINDOW, 0, 64 * PAGE)).isZero();

        List<Long> flags = bench.tap.calls(Tap.UNMAP).stream().map(call -> call.arguments()[4] >>> 31 & 1).toList();
        assertThat(flags).hasSize(10).endsWith(0L);
        assertThat(flags.subList(0, 9)).containsOnly(1L);
    }

    @Test
    @Scenario({113, 138, 142})
    void pagesComeAndGoWhileTheGuestFaults() {
        Guest guest = Guest.started(client, 2);
        int memory = (int) client.createMemory(64 * PAGE, 0);
        int flags = SHARE | R | W;
        assertThat(client.map(guest.vm, flags, memory, WINDOW, 0, 64 * PAGE)).isZero();
        CompletableFuture<Probe.Outcome> up = async(guest.cpus[1]::go);
        assertThat(guest.cpu().call(PSCI_CPU_ON, 1, Guest.RAM, 0)[0]).isZero();
        Bench.get(up);
        AtomicBoolean stop = new AtomicBoolean();
        List<CompletableFuture<Long>> faulting = new ArrayList<>();
        for (Probe cpu : guest.cpus) {
            faulting.add(async(() -> {
                long touched = 0;
                // Once at least, however late it begins.
                while (!stop.get() || touched == 0) {
                    Probe.Outcome outcome = cpu.touch(WINDOW, WINDOW + 64 * PAGE);
                    while (outcome.equals(MMIO)) {
                        // between two bindings the address is a device
                        outcome = cpu.go();
                    }
                    assertThat(outcome).isInstanceOf(Probe.Value.class);
                    touched++;
                }
                return touched;
            }));
        }
        int rounds = Integer.getInteger("gunyah.trims", 300);
        for (int i = 0; i < rounds; i++) {
            long page = i % 63 * PAGE;
            assertThat(client.files.fallocate(memory, PUNCH, page, PAGE)).isZero();
            assertThat(client.map(guest.vm, flags | UNMAP, memory, WINDOW + 32 * PAGE, 32 * PAGE, 32 * PAGE)).isZero();
            assertThat(client.map(guest.vm, flags | UNMAP, memory, WINDOW, 0, 32 * PAGE)).isZero();
            assertThat(client.map(guest.vm, flags, memory, WINDOW, 0, 64 * PAGE)).isZero();
        }
        stop.set(true);
        faulting.forEach(each -> assertThat(Bench.get(each)).isPositive());
        guest.close();
        client.close(memory);
    }

    @Test
    @Scenario(114)
    void aReadIntoALentPageIsAnErrorAndNothingElse() {
        int[] memory = new int[1];
        Guest guest = guestWith(LEND | RWX, 4 * PAGE, memory);
        client.writeLong(memory[0], PAGE - 8, 1);
        guest.cpu().put(EXTRA + PAGE, 2);

        assertThatThrownBy(() -> client.read(memory[0], PAGE - 4, 8)).isInstanceOf(GunyahError.class);

        assertThat(client.readLong(memory[0], PAGE - 8)).isEqualTo(1);
        assertThat(guest.cpu().get(EXTRA + PAGE)).isEqualTo(2);
    }

    @Test
    @Scenario(140)
    void theRestOfATrimmedBindingKeepsItsContents() {
        int[] memory = new int[1];
        Guest guest = shared(memory);
        guest.cpu().put(WINDOW, 41);
        guest.cpu().put(WINDOW + 40 * PAGE, 42);

        assertThat(client.map(guest.vm, SHARE | R | W | UNMAP, memory[0], WINDOW + 32 * PAGE, 32 * PAGE, 32 * PAGE))
                .isZero();

        assertThat(guest.cpu().get(WINDOW)).isEqualTo(41);
        assertThat(guest.cpu().load(WINDOW + 40 * PAGE, 8)).isEqualTo(MMIO);
    }
}
