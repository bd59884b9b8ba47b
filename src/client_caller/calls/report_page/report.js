const audio = document.querySelector("audio");
const axis = document.querySelector(".axis");
const cursor = document.querySelector(".cursor");
const length = Number(axis.dataset.length);
const words = [...document.querySelectorAll(".talk .word[data-at]")].map((word) => ({ word, at: Number(word.dataset.at) }));

function show() {
  const now = audio.currentTime * 1000;
  cursor.hidden = false;
  cursor.style.left = `${Math.min(100, (100 * now) / length)}%`;
  // A word's time is that of its end.
  const next = words.find(({ at }) => at >= now);
  for (const { word } of words) word.classList.remove("now");
  if (next && next.at - now < 600 && !audio.paused) next.word.classList.add("now");
  if (!audio.paused) requestAnimationFrame(show);
}

function seek(milliseconds) {
  audio.currentTime = Math.max(0, milliseconds) / 1000;
  audio.play();
}

if (audio) {
  document.body.classList.add("playable");
  audio.addEventListener("play", show);
  audio.addEventListener("seeked", show);
  axis.addEventListener("click", (event) => {
    const box = axis.getBoundingClientRect();
    seek((length * (event.clientX - box.left)) / box.width);
  });
  for (const place of document.querySelectorAll("section:not(#timeline) [data-at]")) {
    place.addEventListener("click", (event) => {
      event.preventDefault();
      seek(Number(place.dataset.at) - (place.classList.contains("word") ? 400 : 0));
    });
  }
}
