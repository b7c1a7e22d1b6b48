// A device guard for CUDA that does nothing: simulated devices have nothing to switch to.
// A CPU-only PyTorch holds none for CUDA, and looks for one wherever a tensor says that it lies there.
#include <c10/core/impl/DeviceGuardImplInterface.h>

static c10::impl::DeviceGuardImplRegistrar once(
    c10::DeviceType::CUDA, new c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::CUDA>());
