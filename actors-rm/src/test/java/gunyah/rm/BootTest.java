package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.MachineState;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.FirmwareImage;
import gunyah.rm.rpc.FirmwareMemory;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Nothing;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How guests begin: what is executed first and with which registers. Guest code says so itself. */
@Tag("guest")
class BootTest {
    private static final long BASE = 0x4400_0000L;
    private static final long FIRMWARE = 0x4600_0000L;
    private static final long FIRMWARE_IPA = 0x9800_0000L;
    private static final int FIRMWARE_SIZE = 0x2000;
    private static final int SEEN = 0x180;
    private static final int REGISTERS = 0x100;
    private static final int RECORDER = 0x4000;

    /** Leaves X0 to X2 and its own address in the shared page, goes on where X1 says. */
    private static final int[] FIRMWARE_CODE = {
            0xD2B2_0009, // mov x9, #0x90000000
            0xF900_C120, // str x0, [x9, #384]
            0xF900_C521, // str x1, [x9, #392]
            0xF900_C922, // str x2, [x9, #400]
            0x1000_000A, // adr x10, .
            0xF900_CD2A, // str x10, [x9, #408]
            0xD61F_0020, // br x1
    };

    /** Leaves X0 to X30 and SP in the shared page, goes on with the image. */
    private static final int[] RECORDER_CODE = {
            0xD518_D09E, // msr tpidr_el1, x30
            0xD2B2_001E, // mov x30, #0x90000000
            0x9104_03DE, // add x30, x30, #0x100
            0xA900_07C0, // stp x0, x1, [x30]
            0xA901_0FC2, // stp x2, x3, [x30, #16]
            0xA902_17C4, // stp x4, x5, [x30, #32]
            0xA903_1FC6, // stp x6, x7, [x30, #48]
            0xA904_27C8, // stp x8, x9, [x30, #64]
            0xA905_2FCA, // stp x10, x11, [x30, #80]
            0xA906_37CC, // stp x12, x13, [x30, #96]
            0xA907_3FCE, // stp x14, x15, [x30, #112]
            0xA908_47D0, // stp x16, x17, [x30, #128]
            0xA909_4FD2, // stp x18, x19, [x30, #144]
            0xA90A_57D4, // stp x20, x21, [x30, #160]
            0xA90B_5FD6, // stp x22, x23, [x30, #176]
            0xA90C_67D8, // stp x24, x25, [x30, #192]
            0xA90D_6FDA, // stp x26, x27, [x30, #208]
            0xA90E_77DC, // stp x28, x29, [x30, #224]
            0xD538_D080, // mrs x0, tpidr_el1
            0x9100_03E1, // mov x1, sp
            0xA90F_07C0, // stp x0, x1, [x30, #240]
            0xD2B0_0001, // mov x1, #0x80000000
            0xD61F_0020, // br x1
    };

    private final RealHost host = new RealHost(2, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    private void write(long ipa, int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(words);
        host.port.write(ipa, bytes.array(), 0, bytes.capacity());
    }

    private int lend(int vmid, int rights, int label, long ipa, long size) {
        return new WireReader(host.ok(MessageId.MEM_LEND, new ParcelCreate(0, 0, label,
                List.of(new AclEntry(vmid, rights)), List.of(new MemRange(ipa, size)), List.of()))).u32();
    }

    @Test
    void anAuthenticatedImageIsEnteredWhereItsTreeSaysAndForgottenAfterwards() {
        MachineState before = host.atRest();
        DtNode tree = Agent.tree("signed", 1);
        tree.find("/gunyah-vm-config").orElseThrow().cells("kernel-entry-segment", 0)
                .cells64("kernel-entry-offset", 0x100);
        Agent guest = new Agent(host, tree, BASE).image(ConfigImage.AUTH_PLATFORM, 0x1000, 0x100);
        guest.load();
        host.awaitState(guest.vmid, VmState.AUTH);
        assertThat(host.error(MessageId.VM_INIT, new VmRequest(guest.vmid))).isEqualTo(RmError.VM_STATE);

        guest.initialise();
        guest.run();

        assertThat(guest.load32(Agent.IMAGE_IPA + 0x1000)).as("before its entry").isZero();
        guest.store(Agent.IMAGE_IPA + 0x6000, 0x5ec2e7);
        guest.stop();
        assertThat(host.read(BASE + 0x6000)).as("sanitised at the reclaim").isZero();
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
        host.awaitSame(before, "what is left");
    }

    private void offerFirmware() {
        write(FIRMWARE, FIRMWARE_CODE);
        int handle = lend(255, 4, 0, FIRMWARE, 0x1000);
        host.ok(MessageId.FW_SET_VM_FIRMWARE, new FirmwareImage(ConfigImage.AUTH_ANDROID, handle, 0, 0x1000));
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
        write(FIRMWARE, new int[FIRMWARE_CODE.length]);
        host.ok(MessageId.FW_MILESTONE, new Nothing());
    }

    private void assertFirmwareRan(Agent guest, long at, int imageOffset) {
        assertThat(guest.shared(SEEN)).as("X0, device tree").isEqualTo(Agent.IMAGE_IPA + Agent.TREE_OFFSET);
        assertThat(guest.shared(SEEN + 8)).as("X1, image").isEqualTo(Agent.IMAGE_IPA + imageOffset);
        assertThat(guest.shared(SEEN + 16)).as("X2, its size").isEqualTo(Agent.TREE_OFFSET - imageOffset);
        assertThat(guest.shared(SEEN + 24)).as("firmware's address").isEqualTo(at + 0x10);
        DtNode node = guest.patched().child("reserved-memory").orElseThrow().children().stream()
                .filter(n -> n.isCompatible("qcom,vm-firmware")).findFirst().orElseThrow();
        assertThat(DtNode.number(node.cells("reg").orElseThrow(), 0, 2)).isEqualTo(at);
    }

    @Test
    void firmwareInAParcelOfItsOwnRunsBeforeTheImage() {
        offerFirmware();
        MachineState before = host.atRest();
        DtNode tree = Agent.tree("android", 1);
        tree.find("/gunyah-vm-config/memory").orElseThrow().cells64("firmware-address", FIRMWARE_IPA);
        Agent guest = new Agent(host, tree, BASE).image(ConfigImage.AUTH_ANDROID, 0x1000, 0);
        guest.load();
        write(FIRMWARE + 0x1800, 0x5ec2e7);
        int handle = lend(guest.vmid, 7, 1, FIRMWARE, FIRMWARE_SIZE);
        host.ok(MessageId.VM_SET_FIRMWARE_MEM, new FirmwareMemory(guest.vmid, handle, 0, FIRMWARE_SIZE));
        guest.initialise();

        guest.run();

        assertFirmwareRan(guest, FIRMWARE_IPA, 0x1000);
        assertThat(guest.load32(FIRMWARE_IPA)).isEqualTo(FIRMWARE_CODE[0]);
        assertThat(guest.load32(FIRMWARE_IPA + 0x1800)).as("the rest of its window").isZero();
        guest.stop();
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
        assertThat(host.read(FIRMWARE)).as("sanitised").isZero();
        host.awaitSame(before, "what is left");
    }

    @Test
    void firmwareMayGoIntoTheImageParcel() {
        offerFirmware();
        Agent guest = new Agent(host, Agent.tree("android", 1), BASE).image(ConfigImage.AUTH_ANDROID, 0, 0);
        guest.load();
        host.ok(MessageId.VM_SET_FIRMWARE_MEM, new FirmwareMemory(guest.vmid, guest.imageHandle(), 0x4000, 0x1000));
        guest.initialise();

        guest.run();

        assertFirmwareRan(guest, Agent.IMAGE_IPA + 0x4000, 0);
        guest.stop();
    }

    @Test
    void anAndroidVmWithoutAPlaceForFirmwareOrWithTwoBootVcpusDoesNotStart() {
        offerFirmware();
        Agent without = new Agent(host, Agent.tree("android", 1), BASE).image(ConfigImage.AUTH_ANDROID, 0, 0);
        without.start();
        assertThat(host.error(MessageId.VM_START, new VmRequest(without.vmid))).isEqualTo(RmError.NORESOURCE);
        without.stop();
        DtNode two = Agent.tree("two", 1);
        two.find("/gunyah-vm-config/vcpus").orElseThrow().cells("affinity-map", 0, 1);
        two.find("/cpus/cpu@0").orElseThrow().strings("status", "okay");
        two.find("/cpus").orElseThrow().add("cpu@1").strings("device_type", "cpu").cells("reg", 1)
                .strings("status", "okay");
        DtNode gic = two.find("/intc@3fff0000").orElseThrow();
        gic.cells64("reg", GuestTrees.GICD, 0x1_0000, GuestTrees.GICD - 0x4_0000, 0x4_0000);
        Agent guest = new Agent(host, two, BASE).image(ConfigImage.AUTH_ANDROID, 0, 0);
        guest.load();
        host.ok(MessageId.VM_SET_FIRMWARE_MEM, new FirmwareMemory(guest.vmid, guest.imageHandle(), 0x4000, 0x1000));
        guest.initialise();

        assertThat(host.error(MessageId.VM_START, new VmRequest(guest.vmid))).isEqualTo(RmError.NORESOURCE);

        guest.stop();
    }

    @Test
    void theBootVcpuStartsWithTheRegistersThatItsOwnerSetAndTheOthersAsUsual() {
        for (boolean withX0 : new boolean[] {false, true}) {
            Agent guest = new Agent(host, Agent.tree("registers", 1), BASE);
            guest.load();
            // Before the parcel is made nobody else could write it; the test goes behind the machine's back.
            write(guest, RECORDER, RECORDER_CODE);
            guest.initialise();
            context(guest, BootContext.SET_PC, 0, Agent.IMAGE_IPA + RECORDER);
            context(guest, BootContext.SET_SP_EL, 1, 0x1234_5678_9abc_def0L);
            context(guest, BootContext.SET_SP_EL, 0, 0x10);
            for (int i = withX0 ? 0 : 1; i <= 30; i++) {
                context(guest, BootContext.SET_X, i, 0xa0_0000_0000L + i);
            }
            assertRefused(guest, BootContext.SET_X, 31);
            assertRefused(guest, BootContext.SET_PC, 1);
            assertRefused(guest, BootContext.SET_SP_EL, 2);
            assertRefused(guest, 3, 0);

            guest.run();

            assertThat(guest.shared(REGISTERS)).as("X0")
                    .isEqualTo(withX0 ? 0xa0_0000_0000L : Agent.IMAGE_IPA + Agent.TREE_OFFSET);
            for (int i = 1; i <= 30; i++) {
                assertThat(guest.shared(REGISTERS + 8 * i)).as("X%d", i).isEqualTo(0xa0_0000_0000L + i);
            }
            assertThat(guest.shared(REGISTERS + 8 * 31)).as("SP").isEqualTo(0x1234_5678_9abc_def0L);
            assertThat(host.error(MessageId.VM_SET_BOOT_CONTEXT, new BootContext(guest.vmid, 0, 1, 0)))
                    .as("while it runs").isEqualTo(RmError.VM_STATE);
            guest.stop();
            host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
        }
    }

    private void write(Agent guest, int offset, int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(words);
        host.hypervisor.memory().write(guest.parcel() + offset, bytes.array(), 0, bytes.capacity());
    }

    private void context(Agent guest, int set, int index, long value) {
        host.ok(MessageId.VM_SET_BOOT_CONTEXT, new BootContext(guest.vmid, set, index, value));
    }

    private void assertRefused(Agent guest, int set, int index) {
        assertThat(host.error(MessageId.VM_SET_BOOT_CONTEXT, new BootContext(guest.vmid, set, index, 0)))
                .isEqualTo(RmError.ARGUMENT_INVALID);
    }
}
