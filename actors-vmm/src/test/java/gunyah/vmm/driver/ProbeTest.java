package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.vmm.Scenario;
import org.junit.jupiter.api.Test;

/** When the device exists and when it does not. */
class ProbeTest {
    private static final int[] UID = {0xcd8fd5c1, 0xdb5f53a4, 0x36ce6592, 0x145f3d67};

    @Test
    void gunyahOfApiVersionOneIsProbed() {
        try (FakeHost host = new FakeHost()) {
            assertThat(host.device()).isNotNull();
        }
    }

    @Test
    @Scenario(1)
    void anotherHypervisorIsNoDevice() {
        try (FakeHost host = new FakeHost(new int[] {1, 2, 3, 4}, 0x8001)) {
            assertThatThrownBy(host::device).hasMessageContaining("ENODEV").hasMessageContaining("not Gunyah");
        }
    }

    @Test
    @Scenario(2)
    void anotherApiVersionIsNoDevice() {
        try (FakeHost host = new FakeHost(UID, 0x8002)) {
            assertThatThrownBy(host::device).hasMessageContaining("ENODEV").hasMessageContaining("version 2");
        }
    }

    @Test
    @Scenario(3)
    void aResourceManagerWithOneInterruptIsNoDevice() {
        try (FakeHost host = new FakeHost(UID, 0x8001, 0)) {
            assertThatThrownBy(host::device).hasMessageContaining("ENODEV").hasMessageContaining("resource-manager");
        }
    }
}
