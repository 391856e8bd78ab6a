// The code of a link stands behind '#', which a browser sends to nobody. This moves it into the form and out of
// the address, and sends the form.
const code = location.hash.slice(1);
if (code) {
  history.replaceState(null, '', location.pathname);
  const field = document.getElementById('code');
  field.value = code;
  field.form.requestSubmit();
}
